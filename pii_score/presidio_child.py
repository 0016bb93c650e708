"""Presidio with its Russian add-ons, as a program of its own: run by the Python of build/presidio, a line of JSON in, a line out.

It knows no model for Russian (spaCy has none to install); whoever asks adds persons by natasha.
"""

from __future__ import annotations

import json
import logging
import sys

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IpRecognizer,
    PhoneRecognizer,
)
from presidio_ru_recognizers import register_all_ru_recognizers

LANGUAGE = "ru"


class BlankEngine(SpacyNlpEngine):  # type: ignore[misc] # Presidio lies in another environment
    """Words and nothing more: what spaCy can do for Russian without a model."""

    def __init__(self) -> None:
        """Load the blank pipeline."""
        super().__init__()
        self.nlp = {LANGUAGE: spacy.blank(LANGUAGE)}

    def load(self) -> None:
        """It is loaded."""


def make_analyzer() -> AnalyzerEngine:
    """Every recogniser that has something to say about Russian text."""
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    for recognizer in (
        EmailRecognizer(supported_language=LANGUAGE),
        IpRecognizer(supported_language=LANGUAGE),
        CreditCardRecognizer(supported_language=LANGUAGE),
        PhoneRecognizer(supported_language=LANGUAGE, supported_regions=("RU",)),
    ):
        registry.add_recognizer(recognizer)
    register_all_ru_recognizers(registry)
    return AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=[LANGUAGE])


def main() -> None:
    """Answer until the input ends."""
    logging.disable(logging.CRITICAL)
    analyzer = make_analyzer()
    for line in sys.stdin:
        found = analyzer.analyze(text=json.loads(line), language=LANGUAGE)
        print(json.dumps([[one.start, one.end, one.entity_type, one.score] for one in found]), flush=True)


if __name__ == "__main__":
    main()
