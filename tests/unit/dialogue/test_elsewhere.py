"""Who asks for another messenger, and who only names one."""

import pytest

from leadgate.dialogue.elsewhere import find_wish

WISHES: dict[str, set[str]] = {
    "можно в вотсапе?": {"whatsapp"},
    "А можно вам в ватсап написать?": {"whatsapp"},
    "А есть вацап?": {"whatsapp"},
    "можно в максе": {"max"},
    "перейти в MAX": {"max"},
    "давайте лучше в телеграме": {"telegram"},
    "Напишите мне в тг": {"telegram"},
    "Хочу перейти в ВК": {"vk"},
    "вы есть вконтакте?": {"vk"},
    "Можно в вк или в телеграм?": {"vk", "telegram"},
    "есть другой мессенджер?": set(),
    "У вас есть другие мессенджеры": set(),
    "А в каком мессенджере вам ещё можно написать?": set(),
    "Can we talk on WhatsApp?": {"whatsapp"},
    "Is there another messenger?": set(),
}
OTHERS = [
    "Хочу стрижку завтра",
    "Можно к мастеру Максу на субботу?",
    "Макс работает в субботу?",
    "Нашла вас в инстаграме, сколько стоит маникюр?",
    "Я писала вам в ВК, можно на субботу?",
    "Мой вотсап +7 900 000-01-01, напишите",
    "вконтакте",
    "Сколько стоит максимальная длина?",
    "Можно в пятницу?",
    "Напомните мне, пожалуйста",
    "Здравствуйте! Хочу записаться на окрашивание и стрижку, можно в субботу, и ещё вы есть в вк или где-то ещё?",
]


@pytest.mark.parametrize("words", WISHES)
def test_a_wish_for_another_messenger_is_understood(words: str) -> None:
    """With the messengers that are named, or none when any will do."""
    assert find_wish(words) == frozenset(WISHES[words])


@pytest.mark.parametrize("words", OTHERS)
def test_whoever_names_a_messenger_in_passing_is_not_sent_away(words: str) -> None:
    """A link instead of an answer to a request would lose a client."""
    assert find_wish(words) is None
