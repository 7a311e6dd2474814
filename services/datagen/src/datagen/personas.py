"""Who asks: people composed of an age, an occupation that goes with it, and a way of speaking.

The facets are a data file (`questions/personas/<language>.yaml`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, model_validator

from contracts.model import Authored, Name
from contracts.style import Language, Phrase, Text


class Age(Authored):
    """An age band."""

    id: Name
    name: Phrase


class Occupation(Authored):
    """What somebody does, at which ages, and how a person who does it may begin to talk."""

    id: Name
    name: Phrase
    ages: list[Name] = Field(min_length=1)
    opening: Phrase


class Register(Authored):
    """A way of speaking, with sentences around `{opening}`, `{event}` and `{feeling}`."""

    id: Name
    name: Phrase
    frames: list[Text] = Field(min_length=1)


class PersonaFile(Authored):
    """`questions/personas/<language>.yaml`."""

    schema_version: Literal[1] = 1
    language: Language
    ages: list[Age] = Field(min_length=1)
    occupations: list[Occupation] = Field(min_length=1)
    registers: list[Register] = Field(min_length=1)

    @model_validator(mode="after")
    def occupations_name_known_ages(self) -> Self:
        """Raise ValueError where an occupation is of an age that is not in the file."""
        known = {age.id for age in self.ages}
        for occupation in self.occupations:
            if unknown := sorted(set(occupation.ages) - known):
                raise ValueError(f"occupation {occupation.id}: no age {', '.join(unknown)}")
        return self


@dataclass(frozen=True)
class Persona:
    """One person."""

    age: Age
    occupation: Occupation
    register: Register

    @property
    def id(self) -> str:
        """`<age>/<occupation>/<register>`."""
        return f"{self.age.id}/{self.occupation.id}/{self.register.id}"

    def described(self) -> dict[str, str]:
        """Return the person as a teacher is told of them."""
        return {
            "id": self.id,
            "age": self.age.name,
            "occupation": self.occupation.name,
            "speaks": self.register.name,
        }


class Personas:
    """The people of one language.

    Args:
        file: the validated data file.
    """

    def __init__(self, file: PersonaFile) -> None:
        self.file = file

    @cached_property
    def everyone(self) -> list[Persona]:
        """Every age with an occupation that goes with it, in every way of speaking."""
        return [
            Persona(age, occupation, register)
            for age in self.file.ages
            for occupation in self.file.occupations
            if age.id in occupation.ages
            for register in self.file.registers
        ]

    def find(self, persona_id: str) -> Persona | None:
        """Return the person of that id, or None."""
        return self._by_id.get(persona_id)

    @cached_property
    def _by_id(self) -> dict[str, Persona]:
        return {persona.id: persona for persona in self.everyone}


def load_personas(folder: Path) -> dict[Language, Personas]:
    """Return the people of `folder` by language. Raises ValueError that names the file."""
    found: dict[Language, Personas] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            file = PersonaFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"personas/{path.name}: {error}") from error
        found[file.language] = Personas(file)
    return found
