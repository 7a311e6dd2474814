"""Character cards as other tools export them, in our own words."""

import base64
import json
import struct
import zlib
from typing import Any

ADA: dict[str, Any] = {
    "name": "Lady Ada",
    "description": "Lady Ada is a calm engineer. She explains slowly and never scolds {{user}}.",
    "personality": "patient, precise, dry humour",
    "scenario": "A workshop at night.",
    "first_mes": "*looks up from the bench* Ah, there you are. Mind the wires.",
    "mes_example": "<START>\n{{user}}: I broke it.\n{{char}}: Splendid, now we can learn. "
    "Hand me the screwdriver, dear.\n<START>\n{{user}}: I am tired.\n{{char}}: Then the lamp goes "
    "out first.\nSleep is engineering too, dear.",
    "creator_notes": "be nice",
    "system_prompt": "You are {{char}}. Speak calmly to {{user}}.",
    "post_history_instructions": "stay calm",
    "alternate_greetings": ["Good evening! The kettle is on.", 5],
    "tags": ["calm"],
    "creator": "somebody",
    "character_version": "1",
    "extensions": {"depth": {"prompt": "x"}},
    "character_book": {"entries": []},
}


def card_v2(**data: Any) -> dict[str, Any]:
    """Return a card of version 2, with some parts replaced."""
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": ADA | data}


def card_v3(**data: Any) -> dict[str, Any]:
    """Return a card of version 3, with some parts replaced."""
    more = {"nickname": "Ada", "creation_date": 1, "group_only_greetings": []}
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": ADA | more | data}


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    """Return a picture of one pixel with extra chunks before its end."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + pixel + b"".join(chunks) + chunk(b"IEND", b"")


def text_chunk(keyword: str, card: dict[str, Any]) -> bytes:
    """Return the text chunk in which a picture carries a card."""
    return chunk(b"tEXt", keyword.encode() + b"\0" + base64.b64encode(json.dumps(card).encode()))
