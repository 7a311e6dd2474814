"""Which names can be asked for, and what can never be one."""

import pytest

from serving.engine.names import NameTable, is_name
from serving.engine.refusal import Refusal

BAD = [
    "", " ", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a b", "a\n", "a\x00", "%2e%2e", "A",
    "-x", "--trust_remote_code", "_x", "a..b", "ａ", "é", "a" * 64, "${oc.env:X}", "$(id)", "a;b",
    "a=b", "~", "*", "lora@1", "model:tag", None, 5, ["base"], {"x": 1}, True,
]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_name_is_refused_when_it_could_be_anything_else(name: object) -> None:
    """Paths, options, escapes and other spellings are no names; the field is named."""
    assert not is_name(name)
    with pytest.raises(Refusal) as caught:
        NameTable("base").resolve(name)
    assert (caught.value.status, caught.value.field) == (400, "model")


def test_alias_leads_to_its_version() -> None:
    """Base and versions lead to themselves, an alias to its version."""
    table = NameTable("base")
    table.replace(["t.v1", "t.v2"], {"t": "t.v2"})
    assert [table.resolve(name) for name in ("base", "t", "t.v1")] == ["base", "t.v2", "t.v1"]


@pytest.mark.parametrize(
    ("names", "aliases"),
    [
        (["../x"], {}),
        (["t.v1"], {"../x": "t.v1"}),
        (["t.v1"], {"t": "t.v2"}),
        (["t.v1"], {"base": "t.v1"}),
        (["t.v1", "t.v2"], {"t.v1": "t.v2"}),
        ("t.v1", {}),
        ([], []),
        ([5], {}),
    ],
)
def test_table_stays_when_the_new_one_is_wrong(names: object, aliases: object) -> None:
    """A table with one bad entry changes nothing."""
    table = NameTable("base", ("a.v1",), {"a": "a.v1"})
    with pytest.raises(Refusal):
        table.replace(names, aliases)
    assert table == NameTable("base", ("a.v1",), {"a": "a.v1"})
