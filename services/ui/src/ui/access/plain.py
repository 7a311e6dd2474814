"""Pages of our own outside of Gradio: the log-in, and what one is told after it (pure).

No script, no request but the page itself: its looks are in it, so that it needs nothing that is
behind the log-in.
"""

from html import escape

from ui.look import mark
from ui.texts import Texts

STYLE = """:root{color-scheme:light dark;--paper:light-dark(#faf6ee,#171411);
--sheet:light-dark(#fffdf8,#201c18);--ink:light-dark(#241f19,#efe8dc);
--faint:light-dark(#675d4c,#b3a999);--line:light-dark(#e0d5c1,#3a342d);
--edge:light-dark(#8a7f6c,#8b8172);--seal:light-dark(#b23a26,#f0917b);
--on-seal:light-dark(#fffaf2,#231008);--alert:light-dark(#9b1c1c,#ffb3a8)}
*{box-sizing:border-box}body{margin:0;min-height:100dvh;display:grid;place-items:center;
padding:1.5rem;
font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
background:var(--paper);color:var(--ink)}main{width:min(25rem,100%)}
header{display:flex;align-items:center;gap:.9rem;margin-bottom:1.25rem}
svg{flex:none;width:3.25rem;height:3.25rem}
h1{margin:0;font:600 1.6rem/1.2 Georgia,"Songti SC","Noto Serif CJK SC","Noto Serif SC",serif}
h1 small{margin-left:.5em;font-size:.62em;letter-spacing:.14em;color:var(--faint)}
header p{margin:.15rem 0 0;font-size:.92rem;color:var(--faint)}
.sheet{padding:1.5rem;border:1px solid var(--line);border-top:3px solid var(--seal);
border-radius:.75rem;background:var(--sheet)}
h2{margin:0 0 .25rem;font-size:1.15rem}.sheet p{margin:.25rem 0 .75rem;overflow-wrap:anywhere}
label{display:block;margin-top:1rem;font-weight:600;font-size:.92rem}
input,button,.go{width:100%;min-height:2.75rem;font:inherit;padding:.5rem .75rem;
border-radius:.5rem}input{margin-top:.35rem;border:1px solid var(--edge);
background:var(--paper);color:inherit}button,.go{display:block;margin-top:1.5rem;border:0;
background:var(--seal);color:var(--on-seal);font-weight:600;text-align:center;
text-decoration:none;cursor:pointer}button:hover,.go:hover{filter:brightness(1.08)}
:focus-visible{outline:3px solid var(--seal);outline-offset:2px}
[role=alert]{padding:.6rem .8rem;border-left:4px solid var(--alert);border-radius:.35rem;
background:color-mix(in srgb,var(--alert) 9%,transparent);color:var(--alert);font-weight:600}
nav{margin-top:1.25rem;display:flex;gap:.5rem;justify-content:center}
nav a{padding:.35rem .9rem;border-radius:999px;color:var(--faint);text-decoration:none}
nav a[aria-current]{background:var(--sheet);color:var(--ink);border:1px solid var(--line)}
nav a:hover{text-decoration:underline}"""


def page_html(texts: Texts, title: str, body: str, beneath: str = "") -> str:
    """Return a page: the mark and the name, a sheet with a heading, and what is beneath it.

    Args:
        texts: the words.
        title: of the page and of the sheet.
        body: HTML of the sheet.
        beneath: HTML below it.
    """
    language = "zh-CN" if texts.language == "zh" else texts.language
    name = escape(texts("app.name"))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)} · {name}</title><style>{STYLE}</style></head><body><main>"
        f'<header>{mark()}<div><h1>{name}<small lang="zh-CN">{escape(texts("app.subtitle"))}'
        f"</small></h1><p>{escape(texts('app.tagline'))}</p></div></header>"
        f'<div class="sheet"><h2>{escape(title)}</h2>{body}</div>{beneath}</main></body></html>'
    )
