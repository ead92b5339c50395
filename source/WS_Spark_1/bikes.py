"""A small bike-share company: the same stations and trips for every lesson of this worksheet."""

import math
import random
from datetime import datetime, timedelta
from typing import NamedTuple


class Station(NamedTuple):
    name: str
    bank: str  # of the river: nobody rides across it
    x: float  # km
    y: float  # km


STATIONS = (
    Station("Harbour", "north", 0.0, 0.0),
    Station("Museum", "north", 1.2, 0.4),
    Station("Market", "north", 2.0, 1.5),
    Station("Central", "north", 0.8, 2.2),
    Station("Park", "north", 3.1, 0.9),
    Station("Opera", "north", 1.6, 3.0),
    Station("Campus", "south", 0.5, -2.0),
    Station("Library", "south", 1.4, -2.6),
    Station("Stadium", "south", 3.0, -2.2),
    Station("Brewery", "south", 2.2, -3.4),
)
POPULARITY = {"Central": 6, "Harbour": 4, "Market": 3, "Campus": 5, "Library": 3}


class Trip(NamedTuple):
    trip: int
    started: datetime
    origin: str
    target: str
    minutes: float
    member: bool


def distance(a: Station, b: Station) -> float:
    """Kilometres between two stations, as the crow flies."""
    return math.hypot(a.x - b.x, a.y - b.y)


def trips(count: int, seed: int = 7) -> list[Trip]:
    """The first `count` trips of Monday 4 May 2026 and the days after; minutes grow with distance."""
    chance = random.Random(seed)
    weights = [POPULARITY.get(s.name, 1) for s in STATIONS]
    clock, made = datetime(2026, 5, 4, 6, 0), []
    for number in range(1, count + 1):
        clock += timedelta(seconds=chance.randrange(20, 100))
        origin = chance.choices(STATIONS, weights)[0]
        target = chance.choice([s for s in STATIONS if s.bank == origin.bank and s is not origin])
        member = chance.random() < 0.7
        pace = 4.0 if member else 5.5  # minutes a kilometre
        minutes = round(3 + pace * distance(origin, target) + chance.uniform(-1, 1), 1)
        made.append(Trip(number, clock, origin.name, target.name, minutes, member))
    return made


def log_lines(made: list[Trip]) -> list[str]:
    """What the bikes' computers send: a line a trip, every hundredth one damaged on its way."""
    return [
        "#" * 12
        if trip.trip % 100 == 0
        else f"{trip.started:%Y-%m-%dT%H:%M:%S}|{trip.origin}>{trip.target}|{trip.minutes}|{'member' if trip.member else 'guest'}"
        for trip in made
    ]
