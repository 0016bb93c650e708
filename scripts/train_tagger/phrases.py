"""Frames and words of the generated messages, read from `phrases.txt`."""

from __future__ import annotations

from pathlib import Path


def _read() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    name = ""
    for line in Path(__file__).with_name("phrases.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and "|" not in line:
            name = line[1:-1]
            sections[name] = []
        elif line and name:
            sections[name].append(line.replace("\\n", "\n"))
    return sections


_SECTIONS = _read()


def section(name: str) -> list[str]:
    """The lines of a section."""
    return _SECTIONS[name]


def _cases(name: str) -> dict[str, list[str]]:
    return {key.partition(".")[2]: lines for key, lines in _SECTIONS.items() if key.startswith(f"{name}.")}


PERSON_FRAMES = _cases("person")
TATAR_FRAMES = _SECTIONS["tatar_people"]
COMMON_FRAMES = _SECTIONS["common"]
NOT_PEOPLE = [*_SECTIONS["not_people"], *COMMON_FRAMES, *COMMON_FRAMES]
HEALTH_FRAMES = _SECTIONS["health"]
TATAR_HEALTH = _SECTIONS["tatar_health"]
ADDRESS_FRAMES = _SECTIONS["address"]
SERVICES = _SECTIONS["services"]
SERVICES_ACC = _SECTIONS["services_acc"]
TIMES = _SECTIONS["times"]
STAFF = _cases("staff")
KIN = _cases("kin")
STREETS = _SECTIONS["streets"]
STREET_KINDS = _cases("street_kinds")
CITIES = _SECTIONS["cities"]
VILLAGES = _SECTIONS["villages"]
DISTRICTS = _SECTIONS["districts"]
REGIONS = _SECTIONS["regions"]
BRAND_KINDS = _SECTIONS["brand_kinds"]
PLACES = _SECTIONS["places"]
FLOWERS = _SECTIONS["flowers"]
PET_WORDS = _SECTIONS["pet_words"]
ILLNESSES = _cases("illnesses")
ALLERGENS = _SECTIONS["allergens"]
ALLERGENS_GEN = _SECTIONS["allergens_gen"]
OPERATIONS = _SECTIONS["operations"]
STATES = _SECTIONS["states"]
HAS = _SECTIONS["has"]
MEDICINES = _SECTIONS["medicines"]
MEDICINES_ACC = dict(line.split("=") for line in _SECTIONS["medicines_acc"])
TATAR_ILL = _SECTIONS["tatar_ill"]
TATAR_NEG = _SECTIONS["tatar_neg"]
SMALL_TALK = _SECTIONS["small_talk"]
HEALTH_NEG = _SECTIONS["health_neg"]
PLURAL_DATIVE_ILL = _SECTIONS["plural_dative_ill"]
CARS = _SECTIONS["cars"]
COLOURS = _SECTIONS["colours"]
COMPANIES = _SECTIONS["companies"]
ISSUERS = _SECTIONS["issuers"]
ENGLISH = _SECTIONS["english"]
JOBS = _SECTIONS["jobs"]
DRUG_STARTS = _SECTIONS["drug_starts"]
DRUG_ENDS = _SECTIONS["drug_ends"]
ILL_STARTS = _SECTIONS["ill_starts"]
ILL_ENDS = _SECTIONS["ill_ends"]
LATIN_WORDS = _SECTIONS["latin_words"]
HEADS = _SECTIONS["heads"]
