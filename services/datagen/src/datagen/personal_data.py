"""Personal data in a text: found by form and checksum, and replaced so that the sentence stays.

Phone numbers, e-mail addresses, numbers of identity papers, bank cards, chat accounts and postal
addresses, Chinese and English. Not found: names, numbers written out in words, and addresses
without a street and a number. Public short numbers (110, 988, 400-...) are nobody's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from contracts.style import Language

# One character each, so that places in the copy are places in the text.
NARROW = {0xFF01 + at: 0x21 + at for at in range(94)} | {0x3000: 0x20, 0x2010: 0x2D, 0x2011: 0x2D}
DASHES = dict.fromkeys((0x2012, 0x2013, 0x2014, 0x2212), 0x2D)
HAN = r"[\u4e00-\u9fff]"
NOT_BEFORE, NOT_AFTER = r"(?<![\d.])", r"(?!\d|\.\d)"
MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
STREET = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|"
    "Terrace|Way|Close|Crescent|Parkway|Pkwy|Highway|Hwy|Gardens|Grove|Mews"
)
WORD = r"[A-Z][a-z'’]+\.?"
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CARD_DIGITS = range(13, 20)
PHONE_DIGITS = range(8, 16)


@dataclass(frozen=True)
class Found:
    """Where in a text personal data of a kind stands."""

    kind: str
    start: int
    end: int


def id_checks(text: str) -> bool:
    """Return whether a Chinese identity number has the right check digit (ISO 7064, mod 11-2)."""
    plain = re.sub(r"[ -]", "", text).upper()
    total = sum(int(digit) * weight for digit, weight in zip(plain, ID_WEIGHTS, strict=False))
    return plain[-1] == "10X98765432"[total % 11]


def card_checks(text: str) -> bool:
    """Return whether a card number has 13 to 19 digits and the right check digit (Luhn)."""
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) not in CARD_DIGITS or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def has_phone_length(text: str) -> bool:
    """Return whether `text` has as many digits as an international number."""
    return sum(character.isdigit() for character in text) in PHONE_DIGITS


def anything(_: str) -> bool:
    """Accept what has the form."""
    return True


@dataclass(frozen=True)
class Rule:
    """One form of personal data; of a pattern with a group, the group is what is replaced."""

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = anything


def rule(kind: str, pattern: str, check: Callable[[str], bool] = anything) -> Rule:
    """Return a rule of `pattern`, upper and lower case alike where it says (?i)."""
    return Rule(kind, re.compile(pattern), check)


# The first rule that fits a place has it, so the stricter ones come first.
RULES = (
    rule("email", r"(?i)[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}(?![a-z0-9])"),
    rule(
        "email",
        r"(?i)[a-z0-9._%+-]{1,64} ?[\[(] ?at ?[\])] ?[a-z0-9-]{1,63}"
        r"(?: ?[\[(] ?dot ?[\])] ?|\.)[a-z]{2,24}(?![a-z0-9])",
    ),
    rule(
        "id_number",
        rf"{NOT_BEFORE}[1-8]\d{{5}}[ -]?(?:18|19|20)\d\d{MONTH_DAY}[ -]?\d{{3}}[\dXx]"
        r"(?![\dA-Za-z])",
        id_checks,
    ),
    rule("id_number", r"(?i)(?:身份证|证件)\D{0,6}(\d{17}[\dx]|\d{15})(?!\d)"),
    rule(
        "id_number",
        r"(?i)(?:护照|通行证|passport)(?:号码?|是|为|[ :#]|(?:no|nr|number|is)\b\.?)*"
        r"([A-Z]{1,2}\d{6,8}|\d{9})(?!\d)",
    ),
    rule("id_number", r"(?<![A-Za-z\d])[A-Z]{1,2}\d{6}\([\dA]\)"),
    rule("id_number", r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])"),
    rule("id_number", r"(?i)(?:\bSSN|social security)\D{0,16}(\d{3}[- ]?\d\d[- ]?\d{4})(?!\d)"),
    rule(
        "id_number", r"(?<![A-Za-z\d])[A-CEGHJ-PR-TW-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D](?![A-Za-z\d])"
    ),
    rule("bank_card", rf"{NOT_BEFORE}[2-6](?:[ -]?\d){{12,18}}{NOT_AFTER}", card_checks),
    rule(
        "phone",
        rf"(?<![\d.+])(?:(?:\+|00)?86[- ]?)?1[3-9]\d(?:[- ]?\d{{4}}){{2}}{NOT_AFTER}"
        rf"|(?<![\d.+])(?:(?:\+|00)?86[- ]?)1[3-9](?:[- ]?\d){{9}}{NOT_AFTER}",
    ),
    rule("phone", rf"{NOT_BEFORE}1[3-9]\d[- ]\d{{3}}[- ]\d{{5}}{NOT_AFTER}"),
    rule(
        "phone", rf"(?:{NOT_BEFORE}|\()0[1-9]\d{{1,2}}\)?[- ]?[2-8]\d{{3}}[- ]?\d{{3,4}}{NOT_AFTER}"
    ),
    rule(
        "phone",
        rf"{NOT_BEFORE}(?:\+?1[-. ]?)?(?:\([2-9]\d\d\) ?|(?!400|8(?:00|66|77|88))[2-9]\d\d[-. ])"
        rf"\d{{3}}[-. ]\d{{4}}{NOT_AFTER}",
    ),
    rule(
        "phone",
        rf"(?<![\d+])\+\d{{1,3}}(?:[-. ]?\(?\d{{1,4}}\)?){{2,6}}{NOT_AFTER}",
        has_phone_length,
    ),
    rule("phone", rf"{NOT_BEFORE}0\d{{2,4}}[ -]\d{{3,4}}[ -]?\d{{3,4}}{NOT_AFTER}"),
    rule("account", r"(?i)(?<![a-z])QQ(?:号码?|群)?(?:是|为|加|[:, ])*([1-9]\d{4,10})(?!\d)"),
    rule(
        "account",
        r"(?i)(?:微信|威信|(?<![a-z])(?:vx|wx|wechat))(?:号码?|账号| ?id)?(?:是|为|加我?|[:, ])*"
        r"([a-z](?=[a-z_-]*[\d_])[-\w]{5,19}(?<![\u4e00-\u9fff]))(?![a-z\d])",
    ),
    rule(
        "address",
        rf"(?:{HAN}{{2,8}}(?:省|自治区))?(?:{HAN}{{2,6}}市)?(?:{HAN}{{1,6}}[区县镇乡])?"
        rf"{HAN}{{1,8}}(?:路|街|大道|巷|弄|胡同|道)(?:\d{{1,3}}弄)?\d{{1,5}}[号弄]"
        rf"(?:院|楼)?(?:{HAN}{{0,8}}?\d{{1,4}}(?:号楼|栋|幢|座|单元|楼|层|室|号|房))*",
    ),
    rule(
        "address",
        rf"{HAN}{{2,10}}(?:小区|花园|苑|公寓|家园|新村|村)[ ,]?[A-Z]?\d{{1,3}} ?"
        r"(?:号楼|栋|幢|座|号)"
        r"(?:\d{1,2}单元)?(?:\d{1,2}[楼层])?(?:\d{2,5}[室号房]?)",
    ),
    rule(
        "address",
        rf"(?<![\w.])\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{WORD} ){{1,3}}(?:{STREET})\b\.?"
        r"(?:,? (?:(?:Apt|Apartment|Flat|Unit|Suite)\.? ?|#)\w{1,5})?"
        rf"(?:, {WORD}(?: {WORD})?)?(?:,? [A-Z]{{2}})?(?:,? \d{{5}}(?:-\d{{4}})?)?",
    ),
    rule("address", r"(?<![A-Za-z\d])(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})(?![A-Za-z\d])"),
    rule("address", r"(?i)\bP\.? ?O\.? Box \d{1,6}\b"),
)
# Words, not brackets or stars: a model learns what it reads, and should not learn to write marks.
STAND_INS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "phone": "某个电话号码",
        "email": "某个邮箱",
        "id_number": "某个证件号",
        "bank_card": "某个卡号",
        "account": "某个账号",
        "address": "某个地址",
    },
    "en": {
        "phone": "a phone number",
        "email": "an e-mail address",
        "id_number": "an ID number",
        "bank_card": "a card number",
        "account": "an account name",
        "address": "an address",
    },
}
# Chinese has no spaces: what leads to an address is cut off its front.
LEAD = re.compile(
    r"(?:我|你|您|他|她|们|家|就|现在|目前|一直|都|也|请|快递|外卖)*"
    r"(?:住在|住到|住|寄到|寄去|送到|送去|搬到|搬去|位于|老家在|老家|地址是|地址|来到|来|去|到|在|往|是)"
)
# Of a text without a digit or an @ nothing can be personal data in any of these forms.
HINT = re.compile(r"[\d@]|[\[(] ?at ?[\])]", re.IGNORECASE)


def find_personal_data(text: str) -> list[Found]:
    """Return the personal data in `text`, by place; no two overlap."""
    narrow = text.translate(NARROW | DASHES)
    if not HINT.search(narrow):
        return []
    found: list[Found] = []
    for found_rule in RULES:
        for one in matches(found_rule, narrow):
            if all(one.end <= other.start or one.start >= other.end for other in found):
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def matches(found_rule: Rule, text: str) -> Iterator[Found]:
    """Yield what one rule finds."""
    for match in found_rule.pattern.finditer(text):
        group = 1 if match.lastindex else 0
        if found_rule.check(match.group(group)):
            lead = LEAD.match(match.group(group)) if found_rule.kind == "address" else None
            start = match.start(group) + (lead.end() if lead else 0)
            yield Found(found_rule.kind, start, match.end(group))


def mask(text: str, language: Language) -> tuple[str, list[str]]:
    """Return `text` with words instead of personal data, and the kinds that were replaced."""
    found = find_personal_data(text)
    for one in reversed(found):
        text = text[: one.start] + STAND_INS[language][one.kind] + text[one.end :]
    return text, sorted({one.kind for one in found})
