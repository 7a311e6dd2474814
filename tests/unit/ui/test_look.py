"""The looks."""

import re

from ui.look import FOLDER, sheets, theme

OUTSIDE = re.compile(r"https?://(?!www\.w3\.org/2000/svg)|@import|//fonts")


def test_looks_reach_for_no_other_host() -> None:
    """No file of the looks names an address outside."""
    files = [path for path in FOLDER.iterdir() if path.suffix in {".css", ".js", ".json", ".svg"}]
    assert len(files) >= 5
    assert not [path.name for path in files if OUTSIDE.search(path.read_text(encoding="utf-8"))]


def test_every_sheet_is_loaded_once_and_narrow_screens_come_last() -> None:
    """Common rules first, the tabs' own next, then what outweighs them on a small screen."""
    names = [path.name for path in sheets()]
    assert sorted(names) == sorted(path.name for path in FOLDER.glob("*.css"))
    assert names[:2] == ["style.css", "figures.css"]
    assert names[-1] == "narrow.css"


def test_theme_loads_its_font_from_the_page_itself() -> None:
    """The packaged font is a local file, every other font is the reader's own."""
    built = theme()
    css = built._get_theme_css() + "".join(built._font_css)
    assert "static/fonts/SourceSans3" in css
    assert "googleapis" not in css
    assert not [url for url in built._stylesheets if url]


def test_no_selector_has_a_comma_within_brackets() -> None:
    """Gradio takes it for the end of the selector: the rule then means something else."""
    found = []
    for path in sheets():
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        selectors = re.findall(r"([^{}@;]+)\{", text)
        found += [f"{path.name}: {one.strip()}" for one in selectors if re.search(r"\([^)]*,", one)]
    assert not found
