"""What a seed stands for: how many nodes, what work comes when, and which faults how often.

Each seed draws the kinds of faults that it has at all, and only then how often they come: worlds with two faults find what worlds
with all of them bury.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

QUIET_TIME = timedelta(minutes=3)
CALL_TIMEOUT_S = 30.0
LATEST_COMMIT_S = 120.0
"""After the call began. Well within the quiet time, with the lease and odd clocks taken off: what the real portal promises too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How often what goes wrong, each from 0 to 1 per chance, unless said otherwise.

    Attributes:
        late_commit: the portal carries out after we gave the call up.
        partly: a batch breaks off in the middle and its answer is lost.
        crash: the code that calls raises what nobody expects, before or after the call.
        busy: of all commands, those that are told to come later, up to three times.
        poison: of all commands, those that are refused until a person mends them.
        kill: a node dies, at each write and call; `rolling`: it is told to end.
        freeze: a node stops, at each write and call; `longest_freeze_s` at most.
        away: no target is known, as after a change of connections.
    """

    dropped_answer: float
    late_commit: float
    lost_request: float
    partly: float
    unavailable: float
    crash: float
    busy: float
    poison: float
    closed_lead: float
    slow_call: float
    failed_look_up: float
    away: float
    write_refused: float
    commit_unheard: float
    lost_race: float
    slow_disk: float
    kill: float
    freeze: float
    longest_freeze_s: float
    rolling: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A client writes, or the bot answers, `at_s` virtual seconds after the start."""

    at_s: float
    person: int
    is_reply: bool
    has_news: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One world before it begins.

    Attributes:
        capacity: commands that `send` takes; `per_request` of them go in one request.
        outages: begin and end in virtual seconds, and what the portal asks for (None: nothing).
        jumps: when the wall clock of all nodes jumps, and by how much.
        pauses: when the CRM is paused by a person, and resumed.
        skews_s: by how much the wall clock of each node is wrong.
        calm_at_s: from here on nothing goes wrong any more.
    """

    seed: int
    nodes: int
    capacity: int
    per_request: int
    chat_repeats: bool
    said: tuple[Said, ...]
    outages: tuple[tuple[float, float, timedelta | None], ...]
    jumps: tuple[tuple[float, timedelta], ...]
    pauses: tuple[tuple[float, float], ...]
    skews_s: tuple[float, ...]
    calm_at_s: float
    gives_up_dead: bool
    weather: Weather

    @property
    def are_clocks_true(self) -> bool:
        """All nodes see the same time, and it goes evenly."""
        return not self.jumps and not any(self.skews_s)


def draw_scenario(seed: int, rng: Random) -> Scenario:
    """The world of a seed."""
    calm_at_s = rng.choice((30.0, 120.0, 400.0))
    nodes = rng.choice((1, 2, 2, 3))
    jumps = _draw_jumps(rng, calm_at_s)
    outages = _draw_outages(rng, calm_at_s)
    weather = _draw_weather(rng, has_jump=bool(jumps))
    capacity = rng.randint(1, 6)
    return Scenario(
        seed=seed,
        nodes=nodes,
        capacity=capacity,
        per_request=rng.randint(1, capacity),
        chat_repeats=rng.random() < 0.3,
        said=_draw_said(rng, calm_at_s),
        outages=outages,
        jumps=jumps,
        pauses=_draw_pauses(rng, calm_at_s),
        skews_s=tuple(rng.uniform(-4, 4) for _ in range(nodes)) if rng.random() < 0.1 else (0.0,) * nodes,
        calm_at_s=max(calm_at_s, *(end_s for _, end_s, _ in outages), *(at_s + 1 for at_s, _ in jumps), 0),
        gives_up_dead=rng.random() < 0.2,
        weather=weather,
    )


def _draw_said(rng: Random, calm_at_s: float) -> tuple[Said, ...]:
    span_s = rng.choice((2.0, 20.0, calm_at_s))
    said = [
        Said(at_s=rng.random() * span_s, person=person, is_reply=rng.random() < 0.25, has_news=rng.random() < 0.25)
        for person in range(rng.randint(1, 3))
        for _ in range(rng.randint(1, 5))
    ]
    return tuple(sorted(said, key=lambda words: words.at_s))


def _draw_weather(rng: Random, *, has_jump: bool) -> Weather:
    """A jump is of interest where something is in doubt."""

    def rate(likely: float, most: float) -> float:
        return rng.uniform(most / 5, most) if rng.random() < likely else 0.0

    return Weather(
        dropped_answer=rate(0.35, 0.4),
        late_commit=rate(0.7 if has_jump else 0.25, 0.3),
        lost_request=rate(0.25, 0.3),
        partly=rate(0.2, 0.3),
        unavailable=rate(0.25, 0.3),
        crash=rate(0.1, 0.1),
        busy=rate(0.25, 0.4),
        poison=rate(0.2, 0.3),
        closed_lead=rate(0.2, 0.5),
        slow_call=rate(0.3, 0.4),
        failed_look_up=rate(0.25, 0.5),
        away=rate(0.1, 0.2),
        write_refused=rate(0.2, 0.15),
        commit_unheard=rate(0.2, 0.15),
        lost_race=rate(0.1, 0.3),
        slow_disk=rate(0.2, 0.2),
        kill=rate(0.4, 0.12),
        freeze=rate(0.3, 0.1),
        longest_freeze_s=rng.choice((15.0, 40.0, 300.0)),
        rolling=rate(0.1, 0.05),
    )


def _draw_outages(rng: Random, calm_at_s: float) -> tuple[tuple[float, float, timedelta | None], ...]:
    if rng.random() < 0.75:
        return ()
    begin_s = rng.random() * calm_at_s / 2
    if (
        rng.random() < 0.3
    ):  # longer than anybody waits; the portal says when to come again, or days would be walked in half minutes
        return ((begin_s, begin_s + 3.6 * 86400, timedelta(hours=rng.randint(5, 9))),)
    return ((begin_s, begin_s + rng.uniform(5, 200), rng.choice((None, timedelta(seconds=20)))),)


def _draw_jumps(rng: Random, calm_at_s: float) -> tuple[tuple[float, timedelta], ...]:
    """Most of them early, when there is something in doubt."""
    if rng.random() < 0.85:
        return ()
    latest_s = rng.choice((100.0, calm_at_s))
    return ((rng.random() * latest_s, timedelta(seconds=rng.choice((-3600, -600, -60, 20, 600, 3600)))),)


def _draw_pauses(rng: Random, calm_at_s: float) -> tuple[tuple[float, float], ...]:
    if rng.random() < 0.9:
        return ()
    begin_s = rng.random() * calm_at_s
    return ((begin_s, begin_s + rng.uniform(1, 60)),)
