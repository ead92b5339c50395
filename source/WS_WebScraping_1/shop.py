"""Alder & Wren: a small shop on this machine to be crawled, and the truth about it.

    from shop import Shop, compare

    with Shop(seed=7) as shop:            # a server on loopback, at a free port
        print(shop.url)                   # http://127.0.0.1:40217
        ...                               # crawl it
        print(shop.report())              # how polite was that?
    compare(rows, shop.products, "sku")   # what is missing, extra, doubled, wrong?

    python shop.py --port 0 --seed 7      # the same as a process; its first line is the address

The shop is made up by a seed: the same seed always gives the same pages, byte for byte. It has the weak points
of real shops: prices in eight notations, missing parts, reviews with replies inside, pages that moved, are gone,
slow, broken, in another encoding, or that answer 503 before they heal. `Site` makes the pages and needs no server;
`Shop` serves them and counts. Only the standard library is used.

Tables (lists of dictionaries), in a `Site` and in a `Shop`:

    products    what the product pages say: sku, name, category, url, price, currency, …
    reviews     one row a review: review_id, sku, reviewer, rating, date, text, helpful, reply
    categories  slug, name, url, products (how many), pages (how many), currency, encoding
    pages       every page that a crawl from "/" should reach: url, kind, status, and what is wrong with it
    orders      what the customer `ada` (password `lovelace`) sees at /account after /login

Addresses that belong to the counter, not to the shop, and are not counted themselves:

    /_log       the report and all requests so far, as JSON
    /_reset     forget them, and let the 503s begin anew
"""

import argparse
import base64
import gzip
import hashlib
import json
import random
import re
import signal
import socket
import statistics
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.robotparser import RobotFileParser

NAME = "Alder & Wren"
TODAY = date(2026, 5, 4)
A_PAGE, REVIEWS_A_PAGE = 10, 4
CUSTOMER = ("ada", "lovelace")
ROBOTS = """\
User-agent: *
Disallow: /search
Disallow: /basket/
Disallow: /print/
Disallow: /internal/

User-agent: GreedyBot
Disallow: /
"""

# ---------------------------------------------------------------------------------------------------------------
# What there is to sell. In texts, *…* is printed in bold.


class Category(NamedTuple):
    slug: str
    name: str
    currency: str
    notation: str  # of prices: see money()
    dates: str  # of reviews: see day()
    cheapest: int  # in the currency's cents
    dearest: int
    nouns: tuple[str, ...]
    features: tuple[str, ...]
    encoding: str = "utf-8"


CATEGORIES = (
    Category(
        "electronics", "Electronics", "USD", "dollar", "month first", 1900, 240000,
        ("headphones", "e-reader", "pocket radio", "webcam", "night-light", "USB-C charger", "keyboard", "speaker"),
        ("Durable titanium alloy", "Water-resistant (*IP68*)", "Bluetooth *5.2* connectivity", "Long-lasting battery",
         "Charges in 40 minutes", "Two years of updates", "Weighs less than 200 g"),
    ),
    Category(
        "books", "Books", "USD", "dollar", "day first", 700, 6900,
        ("almanac", "field guide", "cookbook", "atlas", "diary", "songbook", "dictionary", "travel companion"),
        ("Hardcover", "320 pages", "With *48* colour plates", "Printed on recycled paper", "Signed by the author",
         "Large print"),
    ),
    Category(
        "coffee", "Coffee & Tea", "USD", "code", "day first", 450, 129000,
        ("gooseneck kettle", "hand mill", "espresso machine", "tea caddy", "milk jug", "paper filters", "cold-brew jar"),
        ("Pours as thin as a pencil line", "Gas, electric, *induction*", "Dishwasher-safe", "Ceramic burrs",
         "Holds 0.9 l", "No drips"),
    ),
    Category(
        "kitchen", "Kitchen", "EUR", "german", "dots", 390, 189000,
        ("bread knife", "salt & pepper set", "stock pot", "cake tin", "chopping board", "pasta maker", "ice-cream scoop"),
        ("Forged from *one* piece", "Oven-proof up to 250 °C", "Handle of oiled oak", "Dishwasher-safe",
         "Made in Solingen", "Sharpened by hand"),
    ),
    Category(
        "garden", "Garden", "GBP", "pound", "day first", 550, 149900,
        ("watering can", "pruning saw", "bird-feeder", "wheelbarrow", "seed drill", "greenhouse", "hedge shears"),
        ("Galvanised steel", "Frost-proof down to *-20* °C", "FSC-certified ash", "Rust-free for 10 years",
         "Folds flat"),
    ),
    Category(
        "toys", "Toys", "EUR", "raised", "dots", 490, 39900,
        ("kite", "marble run", "rocking horse", "yo-yo", "jigsaw, 500 pieces", "wooden train", "spinning top"),
        ("For children from *3* years", "Non-toxic paint", "Beechwood", "No batteries needed", "CE-marked"),
    ),
    Category(
        "sports", "Sports", "CHF", "swiss", "dots", 900, 320000,
        ("touring bike", "T-shirt", "climbing rope", "snowshoes", "tent, 2 persons", "head-torch", "trekking poles"),
        ("Tested at *4000* m", "Ripstop nylon", "Packs down to 3 l", "PFAS-free", "Repairable"),
    ),
    Category(
        "porcelain", "Porcelaine", "EUR", "french", "french", 1200, 260000,
        ("Théière", "Saladier", "Coquetier", "Crémier", "Bol à café", "Cœur en faïence", "Assiette à crème brûlée"),
        ("Peint à la main", "Faïence de *Gien*", "Passe au lave-vaisselle", "Décor à l’œillet", "Pièce numérotée"),
        "windows-1252",
    ),
)  # fmt: skip
CALM = "books"  # the one category without any fault
BIRDS = (
    "Heron", "Wren", "Plover", "Kestrel", "Siskin", "Dunlin", "Curlew", "Avocet",
    "Linnet", "Merlin", "Osprey", "Petrel", "Swift", "Tern", "Dipper", "Goshawk",
)  # fmt: skip
SENTENCES = (
    "The *{name}* is our latest, and we are a little proud of it.",
    "It does one thing, and does it *quietly*, day after day.",
    "Designed in a shed by the harbour;\n       built to be repaired.",
    "Perfect as a present – *also* for yourself.",
    "Comes in three colours: red, blue, and green.",
    "We have used ours for *six* winters & it still looks new.",
    "Spare parts are in stock for at least ten years.",
    "Please read the manual <before> the first use.",
)
PRAISE = (
    "Absolutely love it! Best {noun} ever.",
    "Pretty good, but the {noun} could be lighter.",
    "Arrived in two days, well packed.",
    "Broke after a week :-(",
    "Does what it says. Nothing more, nothing less.",
    "My daughter took it away from me the same evening.",
    "I paid 49.99 elsewhere & regret it.",
    "Bought it twice. 10/10 would buy again.",
)
REPLIES = (
    "Thank you, that makes our day!",
    "We are sorry. A new one is on its way.",
    "Good point: we will tell the maker.",
)
PEOPLE = (
    "Jane D.",
    "John S.",
    "Zoë B.",
    "Łukasz P.",
    "Mary O’Neill",
    "Åsa L.",
    "R. & T. Ives",
    "Ana M.",
    "Kofi A.",
    "Wei C.",
)
MATERIALS = ("steel", "oak", "brass", "cotton", "glass")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
MOIS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
        "novembre", "décembre")  # fmt: skip


@dataclass
class Product:
    """A product and how its page is spoilt; the truth about it is `row()`."""

    number: int
    sku: str
    name: str
    noun: str
    category: Category
    cents: int | None
    before: int | None
    stock: int
    image: bool
    sentences: list[str]
    features: list[str]
    specs: dict[str, str]
    structured: bool
    reviews: list["Review"] = field(default_factory=list)
    fails: int = 0  # times that the page answers 503 first
    slow: bool = False  # the page takes Shop(slow=…) seconds
    moved: bool = False  # lists link to its old address, which redirects
    broken: str = ""  # kind of broken markup
    declared: str = "header"  # where its encoding is said
    gone: str = ""  # "404", "410", or "soft": a friendly page with status 200

    @property
    def slug(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", _ascii(self.name).lower()).strip("-")
        return f"{words}-{self.number}"

    @property
    def url(self) -> str:
        return f"/product/{self.slug}"

    @property
    def link(self) -> str:
        """What lists of the shop link to."""
        return f"/p/{self.number}" if self.moved else self.url

    def rating(self) -> float | None:
        given = [review.rating for review in self.reviews if review.rating]
        return round(sum(given) / len(given), 1) if given else None

    def row(self) -> dict[str, Any]:
        return {
            "sku": self.sku,
            "name": self.name,
            "category": self.category.slug,
            "url": self.url,
            "price": _units(self.cents),
            "original_price": _units(self.before),
            "currency": self.category.currency,
            "in_stock": self.stock > 0,
            "image": f"/images/{self.slug}.svg" if self.image else None,
            "description": plain(" ".join(self.sentences)) or None,
            "features": [plain(feature) for feature in self.features],
            "specs": dict(self.specs),
            "rating": self.rating(),
            "review_count": len(self.reviews),
        }


@dataclass
class Review:
    id: str
    reviewer: str | None
    rating: int | None
    written: date
    text: str | None
    helpful: int
    reply: str | None

    def row(self, sku: str) -> dict[str, Any]:
        return {
            "review_id": self.id,
            "sku": sku,
            "reviewer": self.reviewer,
            "rating": self.rating,
            "date": self.written.isoformat(),
            "text": self.text,
            "helpful": self.helpful,
            "reply": self.reply,
        }


def money(cents: int, notation: str) -> str:
    """A price as HTML, in the notation of a category."""
    whole, rest = divmod(cents, 100)
    if notation == "dollar":
        return f"${whole:,}.{rest:02}"  # $1,249.50
    if notation == "code":
        return f"USD {whole}.{rest:02}"  # USD 1249.50
    if notation == "pound":
        return f"£{whole:,}.{rest:02} <small>(incl. 20% VAT)</small>"
    if notation == "raised":
        return f"€{whole:,}<sup>.{rest:02}</sup>"
    if notation == "german":
        return f"{whole:,}".replace(",", ".") + f",{rest:02}&nbsp;€"  # 1.249,50 €
    if notation == "french":
        return f"{whole:,}".replace(",", "&nbsp;") + f",{rest:02}&nbsp;€"  # 1 249,50 €
    return "CHF " + f"{whole:,}".replace(",", "’") + (f".{rest:02}" if rest else ".–")  # CHF 1’249.–


def day(when: date, style: str) -> str:
    """A date as people write it."""
    if style == "month first":
        return f"{MONTHS[when.month - 1][:3]} {when.day}, {when.year}"
    if style == "day first":
        return f"{when.day} {MONTHS[when.month - 1]} {when.year}"
    if style == "french":
        return f"{when.day} {MOIS[when.month - 1]} {when.year}"
    return f"{when:%d.%m.%Y}"


def marked(text: str, tag: str = "strong") -> str:
    """The HTML of a text: escaped, *…* in a tag."""
    return re.sub(r"\*(.+?)\*", rf"<{tag}>\1</{tag}>", escape(text, quote=False))


def plain(text: str) -> str:
    """What a reader sees of a text: no marks, no line ends."""
    return " ".join(text.replace("*", "").split())


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text.replace("œ", "oe")).encode("ascii", "ignore").decode()


def _units(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


# ---------------------------------------------------------------------------------------------------------------
# The catalogue: everything that chance decides.


def catalogue(seed: int, count: int, faults: bool) -> list[Product]:
    """All products, those included that are gone but still listed."""
    chance = random.Random(f"{NAME} {seed}")
    made: list[Product] = []
    names: set[str] = set()
    for number in range(101, 101 + count):
        category = CATEGORIES[(number - 101) % len(CATEGORIES)]
        while True:
            bird, noun = chance.choice(BIRDS), chance.choice(category.nouns)
            name = f"{noun} {bird}" if category.slug == "porcelain" else f"{bird} {noun}"
            if len(names) >= len(BIRDS) * 7 * len(CATEGORIES) // 2:
                name += f" {number}"
            if name not in names:
                break
        names.add(name)
        made.append(_product(chance, number, category, name, noun))
    for product in made:
        for _ in range(chance.choice((0, 0, 1, 2, 3, 4, 6, 9, 13))):
            product.reviews.append(_review(chance, product))
        product.reviews.sort(key=lambda review: review.written, reverse=True)
    for number, review in enumerate((r for p in made for r in p.reviews), start=1):
        review.id = f"r{number:04}"
    if faults:
        _spoil(chance, made)
    return made


def _product(chance: random.Random, number: int, category: Category, name: str, noun: str) -> Product:
    spread = (category.dearest / category.cheapest) ** chance.random()
    cents = int(category.cheapest * spread) // 100 * 100 + chance.choice((0, 50, 90, 95, 99))
    on_sale, on_request = chance.random() < 0.3, chance.random() < 0.07
    sentences = chance.sample(SENTENCES, chance.choice((0, 1, 2, 2, 3)))
    specs = {"Weight": f"{chance.randint(1, 90) / 10} kg", "Material": chance.choice(MATERIALS)}
    if chance.random() < 0.5:
        specs["Width × height"] = f"{chance.randint(4, 80)} × {chance.randint(4, 80)} cm"
    return Product(
        number=number,
        sku=f"{category.slug[:2].upper()}-{number}",
        name=name,
        noun=noun,
        category=category,
        cents=None if on_request else cents,
        before=cents * 100 // chance.randint(70, 95) if on_sale and not on_request else None,
        stock=chance.choice((0, 1, 3, 12, 40, 40, 100)),
        image=chance.random() < 0.9,
        sentences=[sentence.format(name=name) for sentence in sentences],
        features=chance.sample(category.features, chance.choice((0, 2, 3, 4))),
        specs=specs if chance.random() < 0.8 else {},
        structured=chance.random() < 0.5,
    )


def _review(chance: random.Random, product: Product) -> Review:
    text = " ".join(chance.sample(PRAISE, chance.choice((1, 1, 2)))).format(noun=product.noun)
    return Review(
        id="",
        reviewer=chance.choice(PEOPLE) if chance.random() < 0.92 else None,
        rating=chance.choice((1, 2, 3, 4, 4, 5, 5, 5)) if chance.random() < 0.92 else None,
        written=TODAY - timedelta(days=chance.randint(1, 500)),
        text=text if chance.random() < 0.92 else None,
        helpful=chance.choice((0, 0, 1, 3, 17)),
        reply=chance.choice(REPLIES) if chance.random() < 0.2 else None,
    )


def _spoil(chance: random.Random, products: list[Product]) -> None:
    """Give some products a fault, one at most each."""
    may = [product for product in products if product.category.slug != CALM]
    chance.shuffle(may)
    share = max(1, len(products) // 40)  # 5 of 200

    def some(count: int) -> list[Product]:
        return [may.pop() for _ in range(min(count, len(may)))]

    for turn, product in enumerate(some(share + 3)):
        product.fails = (1, 2, 1, 3)[turn % 4] if turn < 4 else 1
    for product in some(share):
        product.slow = True
    for product in some(share + 3):
        product.moved = True
    for turn, product in enumerate(some(share + 1)):
        product.broken = ("unclosed", "sloppy", "cut")[turn % 3]
    for turn, product in enumerate(some(share + 2)):
        product.gone = ("404", "soft", "410", "404")[turn % 4]
    porcelain = [product for product in products if product.category.encoding != "utf-8"]
    for turn, product in enumerate(porcelain):
        product.declared = ("header", "meta", "nearly", "nowhere")[turn % 4]


# ---------------------------------------------------------------------------------------------------------------
# Pages.


@dataclass
class Page:
    """An answer, and how the server is to give it."""

    body: str | bytes = ""
    status: int = 200
    type: str = "text/html"
    encoding: str = "utf-8"
    says: str | None = "utf-8"  # the charset in the header
    headers: list[tuple[str, str]] = field(default_factory=list)
    fails: int = 0  # times that it is 503 first
    slow: bool = False  # takes Shop(slow=…) seconds
    seconds: float = 0  # that it takes
    drop: bool = False  # hang up instead

    def content(self) -> bytes:
        """The body as it is sent. What the encoding does not know becomes `&#321;`, as browsers do it."""
        return self.body if isinstance(self.body, bytes) else self.body.encode(self.encoding, "xmlcharrefreplace")


@dataclass
class Asked:
    """A request, as far as pages depend on it."""

    target: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    form: dict[str, str] = field(default_factory=dict)
    base: str = "http://shop.test"

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.path = parts.path or "/"
        self.query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.cookies = {n: m.value for n, m in SimpleCookie(self.headers.get("cookie", "")).items()}

    @property
    def page(self) -> int:
        number = self.query.get("page", "1")
        return int(number) if number.isdecimal() else 0


STYLE = """<style>
body { font: 15px/1.45 sans-serif; max-width: 46rem; margin: 0 auto; padding: 0 1rem; color: #222 }
header, footer { border-bottom: 1px solid #ddd; padding: .4rem 0 } footer { border: 0; color: #777 }
nav a { margin-right: .6rem } h1 small { color: #777; font-weight: normal } .product-list { padding: 0 }
.product-listing-item { display: inline-block; width: 13rem; vertical-align: top; margin: .4rem; padding: .4rem;
  border: 1px solid #ddd } .product-image { float: right; width: 9rem }
.current-price { font-size: 1.3em; font-weight: bold } .original-price { text-decoration: line-through; color: #777 }
.discount-badge { background: #c33; color: #fff; padding: 0 .4em } .review-item { border-top: 1px solid #eee;
  padding-left: 1em } .stars { color: #c80 } .hidden { display: none } table.specs th { text-align: left }
</style>"""


class Site:
    """The shop without a server: tables, and a page for each address."""

    def __init__(self, seed: int = 7, products: int = 200, faults: bool = True) -> None:
        self.seed = seed
        self._all = catalogue(seed, products, faults)
        self._sold = [product for product in self._all if not product.gone]
        self._by_slug = {product.slug: product for product in self._all}
        self._by_number = {str(product.number): product for product in self._all}
        self._by_sku = {product.sku: product for product in self._sold}
        self._lists = {c.slug: [p for p in self._all if p.category is c] for c in CATEGORIES}
        self._lists["sale"] = [product for product in self._sold if product.before]
        self._names = {c.slug: c.name for c in CATEGORIES} | {"sale": "Sale"}
        self.products = [product.row() for product in self._sold]
        self.reviews = [review.row(product.sku) for product in self._sold for review in product.reviews]
        self.categories = [self._category_row(category) for category in CATEGORIES]
        self.orders = [
            {"order": f"O-{1000 + turn}", "date": (TODAY - timedelta(days=30 * turn)).isoformat(), "sku": product.sku}
            for turn, product in enumerate(random.Random(seed).sample(self._sold, min(3, len(self._sold))), start=1)
        ]
        self.pages = list(self._page_rows())

    # Tables

    def _category_row(self, category: Category) -> dict[str, Any]:
        listed = self._lists[category.slug]
        return {
            "slug": category.slug,
            "name": category.name,
            "url": f"/category/{category.slug}",
            "products": sum(not product.gone for product in listed),
            "pages": _pages(len(listed)),
            "currency": category.currency,
            "encoding": category.encoding,
        }

    def _page_rows(self) -> Iterable[dict[str, Any]]:
        def row(url: str, kind: str, status: int = 200, **more: Any) -> dict[str, Any]:
            blank = {
                "redirect": None,
                "fails": 0,
                "slow": False,
                "broken": "",
                "encoding": "utf-8",
                "declared": "header",
            }
            return {"url": url, "kind": kind, "status": status, **blank, **more}

        yield row("/", "home")
        for path in ("/about", "/terms", "/deal"):
            yield row(path, "info") if path != "/deal" else row(path, "info", 302, redirect=self._deal().url)
        for slug, listed in self._lists.items():
            encoding = next((c.encoding for c in CATEGORIES if c.slug == slug), "utf-8")
            for number in range(1, _pages(len(listed)) + 1):
                query = f"?page={number}" if number > 1 else ""
                yield row(f"/category/{slug}{query}", "category", encoding=encoding)
        for product in self._all:
            said = {"encoding": product.category.encoding, "declared": product.declared}
            if product.moved:
                yield row(product.link, "moved", 301, redirect=product.url)
            status = int(product.gone) if product.gone.isdecimal() else 200
            faults = {"fails": product.fails, "slow": product.slow, "broken": product.broken}
            yield row(product.url, "gone" if product.gone else "product", status, **faults, **said)
            if not product.gone:
                for number in range(2, _pages(len(product.reviews), REVIEWS_A_PAGE) + 1):
                    encoding = product.category.encoding
                    yield row(f"{product.url}/reviews?page={number}", "reviews", encoding=encoding)

    # Answers

    def html(self, path: str) -> str:
        """The HTML of a page as text, whatever its encoding."""
        page = self.answer(Asked(path))
        if page.status != 200:
            raise LookupError(f"{path} answers {page.status}")
        return page.content().decode(page.encoding)

    def answer(self, asked: Asked) -> Page:
        first, *rest = asked.path.strip("/").split("/")
        if asked.path != "/" and asked.path.endswith("/"):
            return _redirect(asked.path.rstrip("/"), 301)
        name = first.partition(".")[0].replace("-", "_") or "home"
        answer: Callable[..., Page | None] | None = getattr(self, f"_at_{name}", None)
        page = None
        if answer is not None:
            with suppress(TypeError, KeyError, ValueError, IndexError):  # parts that are too many, or unknown
                page = answer(asked, *rest)
        if page is None:
            page = self._frame("Not found", "<h1>Not found</h1><p>There is nothing here (any more).</p>", status=404)
        return page

    def _frame(self, title: str, main: str, category: Category | None = None, head: str = "", **more: Any) -> Page:
        """A whole page around its main part."""
        encoding = category.encoding if category else "utf-8"
        menu = "\n".join(f'<a href="/category/{slug}">{escape(name)}</a>' for slug, name in self._names.items())
        body = f"""<!DOCTYPE html>
<html lang="{"fr" if category and category.slug == "porcelain" else "en"}">
<head>
<meta charset="{encoding}">
<title>{escape(title)} - {escape(NAME)}</title>
{STYLE}{head}
</head>
<body>
<header><a class="logo" href="/"><img src="/images/logo.svg" alt="{escape(NAME)}"></a>
<nav class="main-menu">
{menu}
</nav></header>
<main>
{main}
</main>
<footer><p><a href="/about">About</a> | <a href="/terms">Terms</a> | <a href="/deal">Deal of the day</a> |
<a href="/login" rel="nofollow">Your account</a> | <a href="mailto:hello@shop.test">hello@shop.test</a> |
<a href="tel:+15550100">555-0100</a> | <a href="https://birds.example/">Our friends</a> |
<a href="javascript:void(0)">Chat</a> | <a href="#top">Top</a> |
<a href="/internal/calendar?day=1" rel="nofollow">Calendar</a></p>
<p>&copy; 2026 {escape(NAME)}. All rights reserved.</p></footer>
</body>
</html>
"""
        return Page(body, encoding=encoding, says=encoding, **more)

    def _at_home(self, asked: Asked) -> Page:
        best = sorted(self._sold, key=lambda p: (-(p.rating() or 0), p.number))[:6]
        cards = "\n".join(self._card(product, "?ref=home") for product in best)
        lists = "\n".join(
            f'<li><a href="/category/{slug}">{escape(name)}</a></li>' for slug, name in self._names.items()
        )
        main = f"""<h1>Welcome to {escape(NAME)}</h1>
<ul class="categories">
{lists}
</ul>
<h2>What our customers like best</h2>
<ul class="product-list featured">
{cards}
</ul>
<form action="/search"><input name="q" placeholder="Search"><button>Go</button></form>"""
        return self._frame("Welcome", main)

    def _at_about(self, asked: Asked) -> Page:
        return self._frame("About us", "<h1>About us</h1><p>We sell what we like. Since 1987.</p>")

    def _at_terms(self, asked: Asked) -> Page:
        rules = "<h1>Terms</h1><p>Robots are welcome where robots.txt lets them; please come one at a time.</p>"
        return self._frame("Terms", rules)

    def _deal(self) -> Product:
        return next((p for p in self._sold if p.category.slug == CALM), self._sold[0])

    def _at_deal(self, asked: Asked) -> Page:
        return _redirect(self._deal().url, 302)

    # Lists

    def _at_category(self, asked: Asked, slug: str) -> Page | None:
        listed, number = self._lists[slug], asked.page
        category = next((c for c in CATEGORIES if c.slug == slug), None)
        last = _pages(len(listed))
        if not 1 <= number <= last:
            return None
        if asked.query.get("sort") == "price":
            listed = sorted(listed, key=lambda p: (p.cents or 0, p.number))
        kept = {"sort": "price"} if asked.query.get("sort") == "price" else {}

        def link(words: str, page: int, more: str = "") -> str:
            return f'<a href="?{escape(urlencode(kept | {"page": page}))}"{more}>{words}</a>'

        near = [f"<b>{n}</b>" if n == number else link(str(n), n) for n in range(1, last + 1)]
        if number > 1:
            near.insert(0, link("‹ Previous", number - 1, ' class="pagination-previous" rel="prev"'))
        if number < last:
            near.append(link("Next ›", number + 1, ' class="btn pagination-next" rel="next"'))
        cards = "\n".join(self._card(product) for product in listed[(number - 1) * A_PAGE : number * A_PAGE])
        main = f"""<nav class="breadcrumb"><a href="/">Home</a> › <span>{escape(self._names[slug])}</span></nav>
<h1 class="category-title">{escape(self._names[slug])}</h1>
<p><span class="count">{len(listed)}</span> products. Sort by <a href="?sort=price" rel="nofollow">price</a></p>
<ul class="product-list">
{cards}
</ul>
<nav class="pagination">
{" ".join(near)}
</nav>"""
        return self._frame(f"{self._names[slug]}, page {number}", main, category)

    def _card(self, product: Product, tail: str = "") -> str:
        classes = "product-listing-item" + " is-sale" * bool(product.before) + " sold-out" * (not product.stock)
        up = ".." if product.category.slug == "toys" and not tail else ""  # a relative link, as good as the others
        price = f'<p class="card-price">{self._price(product)}</p>'
        stars = product.rating()
        rating = f'<p class="stars stars-{round(stars)}">{"★" * round(stars)}</p>' if stars else ""
        return f"""<li class="{classes}" data-product-id="{product.sku}">
  <a class="product-page-link" href="{up}{product.link}{tail}"><h3 class="card-name">{escape(product.name, quote=False)}</h3></a>
  {price}{rating}
</li>"""

    def _price(self, product: Product) -> str:
        if product.cents is None:
            return '<span class="on-request">Price on request</span>'
        return f'<span class="current-price">{money(product.cents, product.category.notation)}</span>'

    # Products

    def _at_p(self, asked: Asked, number: str) -> Page:
        return _redirect(self._by_number[number].url, 301)

    def _at_product(self, asked: Asked, slug: str, part: str = "") -> Page | None:
        product = self._by_slug[slug]
        if part:
            return self._review_page(product, asked.page) if part == "reviews" and not product.gone else None
        if product.gone:
            words = f"<h1>Sorry!</h1><p>We no longer sell the {escape(product.name)}.</p>"
            status = int(product.gone) if product.gone.isdecimal() else 200
            return self._frame("No longer sold", words, status=status)
        head = f'\n<link rel="canonical" href="{product.url}">'
        if product.structured:
            head += f'\n<script type="application/ld+json">\n{_json_ld(product)}\n</script>'
        page = self._frame(product.name, self._article(product), product.category, head)
        page.fails, page.slow = product.fails, product.slow
        page.body = _break(str(page.body), product.broken)
        page.says = {"header": page.says, "nearly": "ISO-8859-1"}.get(product.declared)
        if product.declared in ("nearly", "nowhere"):
            page.body = page.body.replace(f'<meta charset="{page.encoding}">\n', "")
        return page

    def _article(self, product: Product) -> str:
        category = product.category
        last_word = product.name.rpartition(" ")[2]
        name = escape(product.name, quote=False)
        if category.slug in ("kitchen", "electronics"):  # Heron <small>e-reader</small>
            first, _, others = name.partition(" ")
            name = f"{first} <small>{others}</small>"
        classes = "product-listing" + "  is-sale" * bool(product.before) + " sold-out" * (not product.stock)
        image = ""
        if product.image:
            path = f"/images/{product.slug}.svg"
            lazy = f'src="/images/wait.svg" data-src="{path}"' if category.slug == "sports" else f'src="{path}"'
            image = f'<img class="product-image" {lazy} alt="Image of {escape(product.name)}">'
        pricing = [f'<span class="price-label">Price:</span>\n{self._price(product)}']
        if product.before and product.cents:
            saved = round(100 * (1 - product.cents / product.before))
            pricing.append(f'<span class="original-price">{money(product.before, category.notation)}</span>')
            pricing.append(f'<span class="discount-badge">Save {saved}%</span><!-- ask again on Monday -->')
        stock = ("Sold out", "Only 1 left!")[product.stock] if product.stock < 2 else f"In stock: {product.stock}"
        parts = [
            f"""<nav class="breadcrumb"><a href="/">Home</a> › <a href="/category/{category.slug}">{escape(category.name)}</a>
› <span>{escape(last_word)}</span></nav>
<article class="{classes}" data-product-id="{product.sku}">
<h1 id="product-name">{name}</h1>
{image}
<section class="pricing">
{chr(10).join(pricing)}
</section>
<p class="stock {"in-stock" if product.stock else "out-of-stock"}" data-stock="{product.stock}">{stock}</p>
<p><a class="btn btn-primary" href="/basket/add/{product.sku}" rel="nofollow">Add to basket</a>
<a href="/print/{product.sku}">Print</a> <a href="/search?q={escape(urlencode({"": last_word})[1:])}">More like this</a></p>"""
        ]
        if product.sentences:
            paragraphs = "\n".join(f"<p>{marked(sentence)}</p>" for sentence in product.sentences)
            parts.append(f'<section id="description">\n<h2>Product Description</h2>\n{paragraphs}\n</section>')
        if product.features:
            items = "\n".join(f"<li>{marked(feature, 'b')}</li>" for feature in product.features)
            parts.append(f'<section class="features">\n<h2>Key Features</h2>\n<ul>\n{items}\n</ul>\n</section>')
        if product.specs:
            rows = "\n".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in product.specs.items())
            parts.append(f'<table class="specs">\n{rows}\n</table>')
        parts.append(self._review_section(product, 1))
        return "\n".join(parts) + "\n</article>"

    # Reviews

    def _review_page(self, product: Product, number: int) -> Page | None:
        if not 1 <= number <= _pages(len(product.reviews), REVIEWS_A_PAGE):
            return None
        name = escape(product.name, quote=False)
        main = f'<h1>Reviews of <a class="product" href="{product.url}">{name}</a></h1>\n'
        return self._frame(f"Reviews of {product.name}", main + self._review_section(product, number), product.category)

    def _review_section(self, product: Product, number: int) -> str:
        shown = product.reviews[(number - 1) * REVIEWS_A_PAGE : number * REVIEWS_A_PAGE]
        items = "\n".join(self._review(review, product.category) for review in shown)
        left = len(product.reviews) - number * REVIEWS_A_PAGE
        average = product.rating()
        stars = f'\n<p class="average">{average} out of 5</p>' if average else ""
        more = (
            f'\n<a class="load-more" href="{product.url}/reviews?page={number + 1}">Load {left} more</a>'
            if left > 0
            else ""
        )
        return f"""<section class="reviews" data-api="/api/products/{product.sku}/reviews">
<h2>Customer Reviews (<span id="review-count">{len(product.reviews)}</span>)</h2>{stars}
{items or "<p>No reviews yet.</p>"}{more}
</section>"""

    def _review(self, review: Review, category: Category) -> str:
        lines = []
        if review.reviewer:
            lines.append(f'<p class="reviewer-name">{escape(review.reviewer, quote=False)}</p>')
        if review.rating and review.written.year == TODAY.year:
            lines.append(f'<p class="review-rating">Rating: <span>{review.rating}</span>/5 Stars</p>')
        elif review.rating:  # last year's template
            stars = "★" * review.rating + "☆" * (5 - review.rating)
            lines.append(f'<p class="review-rating stars stars-{review.rating}">{stars}</p>')
        iso = f' datetime="{review.written}"' if review.helpful != 1 or category.dates == "french" else ""
        lines.append(f"<p><time{iso}>{day(review.written, category.dates)}</time></p>")
        if review.text:
            lines.append(f'<p class="review-text">{escape(review.text, quote=False)}</p>')
        if review.reply:
            lines.append(
                f'<div class="replies"><div class="review-item reply" data-review-id="{review.id}-a">'
                f'<p class="reviewer-name">{escape(NAME)}</p><p class="review-text">{review.reply}</p></div></div>'
            )
        inner = "\n  ".join(lines)
        return (
            f'<div class="review-item" data-review-id="{review.id}" data-helpful="{review.helpful}">\n  {inner}\n</div>'
        )

    # What else a shop has

    def _at_images(self, asked: Asked, name: str) -> Page:
        hue = int(hashlib.sha1(name.encode()).hexdigest(), 16) % 360
        drawing = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90" width="120" height="90">
<rect width="120" height="90" fill="hsl({hue},45%,88%)"/><circle cx="60" cy="45" r="28" fill="hsl({hue},50%,55%)"/></svg>"""
        return Page(drawing, type="image/svg+xml")

    def _at_robots(self, asked: Asked) -> Page:
        return Page(f"{ROBOTS}\nSitemap: {asked.base}/sitemap.xml\n", type="text/plain")

    def _at_sitemap(self, asked: Asked) -> Page:
        parts = ("products", "categories")
        return _sitemap("sitemapindex", [f"<sitemap><loc>{asked.base}/sitemap-{p}.xml</loc></sitemap>" for p in parts])

    def _at_sitemap_products(self, asked: Asked) -> Page:
        return _sitemap("urlset", [f"<url><loc>{asked.base}{p.url}</loc></url>" for p in self._sold])

    def _at_sitemap_categories(self, asked: Asked) -> Page:
        return _sitemap("urlset", [f"<url><loc>{asked.base}{row['url']}</loc></url>" for row in self.categories])

    def _at_search(self, asked: Asked) -> Page:
        wanted = asked.query.get("q", "").lower()
        found = [p for p in self._sold if wanted and wanted in p.name.lower()]
        cards = "\n".join(self._card(p) for p in found)
        return self._frame("Search", f'<h1>{len(found)} found</h1><ul class="product-list">\n{cards}\n</ul>')

    def _at_basket(self, asked: Asked, *what: str) -> Page:
        return self._frame("Basket", "<h1>Your basket</h1><p>Robots should not be here.</p>")

    def _at_print(self, asked: Asked, sku: str) -> Page:
        return self._frame("To print", f"<h1>{escape(self._by_sku[sku].name)}</h1>")

    def _at_internal(self, asked: Asked, what: str) -> Page | None:
        number = int(asked.query["day"])  # a trap: one more page behind each page
        if what != "calendar" or not 1 <= number <= 1000:
            return None
        link = f'<a href="/internal/calendar?day={number + 1}">Tomorrow</a>'
        return self._frame(f"Day {number}", f"<h1>Day {number}</h1><p>Nothing happens. {link}</p>")

    def _at_visit(self, asked: Asked) -> Page:
        """Counts, by a cookie, how often this visitor was here."""
        count = int(asked.cookies.get("visits", "0")) + 1
        page = self._frame("Visit", f'<h1>Visit number <span id="visits">{count}</span></h1>')
        page.headers.append(("Set-Cookie", f"visits={count}; Path=/"))
        return page

    # Customers

    def _secret(self, word: str) -> str:
        return hashlib.sha256(f"{self.seed} {word}".encode()).hexdigest()[:24]

    def _at_login(self, asked: Asked) -> Page:
        hint = ""
        if asked.method == "POST":
            if asked.form.get("csrf_token") != self._secret("form"):
                return self._frame("Log in", "<h1>Forbidden</h1><p>The hidden field is missing.</p>", status=403)
            if (asked.form.get("user"), asked.form.get("password")) == CUSTOMER:
                page = _redirect("/account", 303)
                page.headers.append(("Set-Cookie", f"session={self._secret('session')}; Path=/; HttpOnly"))
                return page
            hint = '<p class="error">Wrong name or password.</p>'
        main = f"""<h1>Log in</h1>{hint}
<form action="/search"><input name="q"></form>
<form id="login" action="/login" method="post">
<input type="hidden" name="csrf_token" value="{self._secret("form")}">
<input name="user"> <input type="password" name="password"> <button name="go" value="1">Log in</button>
</form>"""
        return self._frame("Log in", main)

    def _at_account(self, asked: Asked) -> Page:
        if asked.cookies.get("session") != self._secret("session"):
            return _redirect("/login", 302)
        rows = "\n".join(f"<tr><td>{o['order']}</td><td>{o['date']}</td><td>{o['sku']}</td></tr>" for o in self.orders)
        table = f'<table class="orders">\n<tr><th>Order</th><th>Date</th><th>SKU</th></tr>\n{rows}\n</table>'
        return self._frame("Your account", f'<h1>Hello, <span class="user">{CUSTOMER[0]}</span></h1>\n{table}')

    # The same as JSON: /api/products?category=…&page=…, /api/products/SKU, /api/products/SKU/reviews?page=…

    def _at_api(self, asked: Asked, what: str, sku: str = "", part: str = "") -> Page | None:
        if what != "products" or part not in ("", "reviews"):
            return None
        if part:
            rows = [review.row(sku) for review in self._by_sku[sku].reviews]
            return _part(asked, rows, REVIEWS_A_PAGE)
        if sku:
            return _json(self._by_sku[sku].row())
        wanted = asked.query.get("category")
        return _part(asked, [row for row in self.products if wanted in (None, row["category"])], A_PAGE)

    # A laboratory for clients: nothing of the shop links to it

    def _at_lab(self, asked: Asked, what: str, value: str = "") -> Page | None:
        if what == "status":  # /lab/status/503
            return self._frame(value, f"<h1>Status {value}</h1>", status=int(value))
        if what == "flaky":  # /lab/flaky/2: 503 twice, then fine; ?a, ?b … count for themselves
            return self._frame("Well again", "<h1>Well again</h1>", fails=int(value))
        if what == "slow":  # /lab/slow/0.3
            return self._frame("Slow", f"<h1>This took {value} s</h1>", seconds=float(value))
        if what == "redirect":  # /lab/redirect/3: over three steps to /lab/headers
            return _redirect(f"/lab/redirect/{int(value) - 1}" if int(value) > 1 else "/lab/headers", 302)
        if what == "loop":  # for ever
            return _redirect("/lab/loop", 302)
        if what == "headers":  # what the client sent
            return _json(asked.headers)
        if what == "cookies":  # /lab/cookies?a=1 sets them, /lab/cookies shows them
            page = _json(asked.cookies)
            for name, text in asked.query.items():
                page.headers.append(("Set-Cookie", f"{name}={text}; Path=/"))
            return page
        if what == "big":  # /lab/big/500: a page of 500 kB
            return Page("<p>" + "x" * (1000 * int(value) - 7) + "</p>")
        if what == "drop":  # no answer at all
            return Page(drop=True)
        if what == "auth":  # basic authentication, as ada
            known = base64.b64encode(":".join(CUSTOMER).encode()).decode()
            if asked.headers.get("authorization") == f"Basic {known}":
                return self._frame("Come in", "<h1>Come in</h1>")
            asks = [("WWW-Authenticate", 'Basic realm="lab"')]
            return self._frame("Who?", "<h1>Who?</h1>", status=401, headers=asks)
        return None


def _pages(count: int, size: int = A_PAGE) -> int:
    return max(1, -(-count // size))


def _redirect(to: str, status: int) -> Page:
    return Page(f'<a href="{escape(to)}">moved</a>\n', status, headers=[("Location", to)])


def _json(value: Any, status: int = 200) -> Page:
    return Page(json.dumps(value, ensure_ascii=False, indent=1), status, "application/json")


def _part(asked: Asked, rows: list[dict[str, Any]], size: int) -> Page:
    last = _pages(len(rows), size)
    following = urlencode(asked.query | {"page": asked.page + 1})
    return _json(
        {
            "page": asked.page,
            "pages": last,
            "items": rows[(asked.page - 1) * size : asked.page * size] if asked.page else [],
            "next": f"{asked.path}?{following}" if asked.page < last else None,
        }
    )


def _sitemap(kind: str, inner: list[str]) -> Page:
    lines = "\n".join(inner)
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return Page(f"{start}\n{lines}\n</{kind}>\n", type="application/xml")


def _json_ld(product: Product) -> str:
    offer = {"@type": "Offer", "priceCurrency": product.category.currency}
    if product.cents is not None:
        offer["price"] = f"{product.cents / 100:.2f}"
    offer["availability"] = "https://schema.org/" + ("InStock" if product.stock else "OutOfStock")
    thing = {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": product.sku,
        "name": product.name,
        "offers": offer,
    }
    return json.dumps(thing, ensure_ascii=False, indent=1)


def _break(html: str, kind: str) -> str:
    """Spoil the markup in a way that browsers, lxml and html5lib forgive."""
    if kind == "unclosed":  # no end tags where HTML lets them out, and a few where it does not
        html = re.sub(r"</(li|p|td|th|tr|article|main)>", "", html)
    elif kind == "sloppy":  # upper case, no quotes, a stray end tag, the same id twice
        html = re.sub(r'<(section|span|article) class="([\w-]+)"', lambda m: f"<{m[1].upper()} CLASS={m[2]}", html)
        html = html.replace("</h1>", "</h1></div></font>").replace("<footer>", '<footer id="product-name">')
    elif kind == "cut":  # the connection to the database was lost here
        html = html[: html.index("</article>")]
    return html


# ---------------------------------------------------------------------------------------------------------------
# The server, and what it counts.


class Shop(Site):
    """A site, served on loopback: `with Shop() as shop: …`, or `shop = Shop().start()` … `shop.close()`.

    seed, products, faults   what the shop is like; faults=False leaves out all that goes wrong
    delay                    seconds that every answer takes, as over a real line
    slow                     seconds that slow pages take
    port                     0 takes a free one
    """

    def __init__(
        self,
        seed: int = 7,
        products: int = 200,
        faults: bool = True,
        delay: float = 0,
        slow: float = 0.4,
        port: int = 0,
    ) -> None:
        super().__init__(seed, products, faults)
        self.delay, self.slow, self._wanted_port = delay, slow, port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._robots = RobotFileParser()
        self._robots.parse(ROBOTS.splitlines())
        self.reset()

    def start(self) -> "Shop":
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._wanted_port), _Handler)
        self._server.shop = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="shop", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End the server and all of its connections. Tables and log stay."""
        if self._server is None or self._thread is None:
            return
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> "Shop":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the shop is closed: use `with Shop() as shop`, or `Shop().start()`")
        return f"http://127.0.0.1:{self._server.server_port}"

    # The counter

    def reset(self) -> None:
        """Forget all requests, and let pages that healed fail again."""
        with self._lock:
            self._began = time.monotonic()
            self._log: list[dict[str, Any]] = []
            self._failed: Counter[str] = Counter()
            self._now = 0

    @property
    def log(self) -> list[dict[str, Any]]:
        """All requests since the start, in the order of their arrival; `at` and `took` are seconds."""
        with self._lock:
            return [dict(entry) for entry in self._log]

    def report(self) -> dict[str, Any]:
        """What the requests so far say about the visitor's manners."""
        log = self.log
        starts = [entry["at"] for entry in log if entry["path"] != "/robots.txt"]
        gaps = [later - earlier for earlier, later in pairwise(starts)]
        asked = Counter(f"{entry['method']} {entry['target']}" for entry in log)
        return {
            "requests": len(log),
            "seconds": round(log[-1]["at"] - log[0]["at"], 3) if log else 0.0,
            "statuses": dict(sorted(Counter(entry["status"] for entry in log if entry["status"]).items())),
            "paths": dict(sorted(Counter(entry["target"] for entry in log).items())),
            "repeated": {what: count for what, count in sorted(asked.items()) if count > 1},
            "agents": dict(Counter(entry["agent"] for entry in log)),
            "robots_first": bool(log) and log[0]["path"] == "/robots.txt",
            "robots_violations": [entry["target"] for entry in log if not entry["allowed"]],
            "most_at_once": max((entry["at_once"] for entry in log), default=0),
            "least_gap": round(min(gaps), 4) if gaps else None,
            "median_gap": round(statistics.median(gaps), 4) if gaps else None,
            "bytes": sum(entry["bytes"] for entry in log),
        }

    def _arrive(self, asked: Asked, by_proxy: bool) -> dict[str, Any]:
        agent = asked.headers.get("user-agent", "")
        allowed = asked.path == "/robots.txt" or self._robots.can_fetch(agent or "*", asked.target)
        with self._lock:
            self._now += 1
            entry = {
                "at": round(time.monotonic() - self._began, 4),
                "method": asked.method,
                "path": asked.path,
                "target": asked.target,
                "status": 0,
                "took": 0.0,
                "bytes": 0,
                "agent": agent,
                "referer": asked.headers.get("referer", ""),
                "cookies": dict(asked.cookies),
                "allowed": allowed,
                "at_once": self._now,
                "by_proxy": by_proxy,
            }
            self._log.append(entry)
        return entry

    def _leave(self, entry: dict[str, Any], status: int, size: int) -> None:
        with self._lock:
            self._now = max(0, self._now - 1)
            entry |= {"status": status, "bytes": size, "took": round(time.monotonic() - self._began - entry["at"], 4)}

    def _serve(self, asked: Asked) -> Page:
        """The page, after the time that it takes, or the 503 before it."""
        page = self.answer(asked)
        seconds = self.delay + page.seconds + (self.slow if page.slow else 0)
        if seconds:
            self._closing.wait(seconds)
        with self._lock:
            fails = self._failed[asked.target] < page.fails
            self._failed[asked.target] += fails
        if fails:
            words = "<h1>Busy</h1><p>Please try again.</p>"
            page = self._frame("Busy", words, status=503, headers=[("Retry-After", "0")])
        return page

    def _control(self, what: str) -> Page | None:
        if what == "/_log":
            return _json({"report": self.report(), "requests": self.log})
        if what == "/_reset":
            self.reset()
            return _json({"reset": True})
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    shop: Shop

    def __init__(self, *arguments: Any) -> None:
        self.open: dict[socket.socket, threading.Thread] = {}
        super().__init__(*arguments)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection, thread in list(self.open.items()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # clients that hang up are no errors


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"  # connections stay open
    server_version, sys_version = "AlderWren/1.0", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.server.open[self.connection] = threading.current_thread()

    def finish(self) -> None:
        self.server.open.pop(self.connection, None)
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing: there is a log."""

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        sent = self.rfile.read(int(length)).decode("utf-8", "replace") if length.isdecimal() else ""
        parts = urlsplit(self.path)
        by_proxy = bool(parts.scheme)  # GET http://shop.test/about: the client takes this for a proxy
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = self.headers.get("Host") or f"127.0.0.1:{self.server.server_port}"
        asked = Asked(
            target,
            self.command,
            {name.lower(): value for name, value in self.headers.items()},
            {name: values[-1] for name, values in parse_qs(sent, keep_blank_values=True).items()},
            f"http://{host}",
        )
        shop = self.server.shop
        control = shop._control(asked.path)
        if control is not None:
            self._send(control)
            return
        entry = shop._arrive(asked, by_proxy)
        try:
            page = shop._serve(asked)
        except BaseException:
            shop._leave(entry, 500, 0)
            raise
        self._send(page, entry, asked)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the names are given

    def _send(self, page: Page, entry: dict[str, Any] | None = None, asked: Asked | None = None) -> None:
        body, status = page.content(), page.status
        kind = page.type + (f"; charset={page.says}" if page.says else "")
        headers = [*page.headers, ("Content-Type", kind)]
        if asked and status == 200 and asked.method != "POST":
            tag = f'"{hashlib.sha1(body).hexdigest()[:16]}"'
            headers += [("ETag", tag), ("Cache-Control", "no-cache")]
            if asked.headers.get("if-none-match") == tag:
                status, body = 304, b""
        if asked and len(body) > 500 and "gzip" in asked.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 1, mtime=0)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        if entry is not None:
            self.server.shop._leave(entry, 0 if page.drop else status, 0 if page.drop else len(body))
        if page.drop:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


# ---------------------------------------------------------------------------------------------------------------
# Grading by data, and the command line.


def compare(
    got: Iterable[dict[str, Any]], wanted: Iterable[dict[str, Any]], key: str, fields: Iterable[str] | None = None
) -> dict[str, list[Any]]:
    """How rows that were crawled differ from the truth.

    missing, extra, doubled   values of the key: not found, unknown, found more than once
    wrong                     (key, field, got, wanted); only the fields named, or all that the truth has
    All four lists are empty when the crawl was complete and correct.
    """
    truth = {row[key]: row for row in wanted}
    seen: Counter[Any] = Counter()
    wrong = []
    for row in got:
        value = row.get(key)
        seen[value] += 1
        right = truth.get(value)
        if right is not None and seen[value] == 1:
            for name in fields or right:
                if not _same(row.get(name), right[name]):
                    wrong.append((value, name, row.get(name), right[name]))
    return {
        "missing": [value for value in truth if value not in seen],
        "extra": sorted((value for value in seen if value not in truth), key=repr),
        "doubled": [value for value, count in seen.items() if count > 1],
        "wrong": wrong,
    }


def _same(got: Any, wanted: Any) -> bool:
    """Equal, but for the last bits of numbers; pandas writes NaN for None."""
    if got != got:
        got = None
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return abs(got - wanted) < 0.005
    return bool(got == wanted)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, or print a table of the truth."""
    parser = argparse.ArgumentParser(description="A small shop on loopback, to be crawled.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--delay", type=float, default=0, help="seconds that every answer takes")
    parser.add_argument("--slow", type=float, default=0.4, help="seconds that slow pages take")
    parser.add_argument("--no-faults", action="store_true", help="a shop in which nothing goes wrong")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    tables = ("products", "reviews", "categories", "pages", "orders")
    parser.add_argument("--truth", choices=tables, help="print this table as JSON instead of serving")
    given = parser.parse_args(arguments)
    if given.truth:
        site = Site(given.seed, given.products, not given.no_faults)
        json.dump(getattr(site, given.truth), sys.stdout, ensure_ascii=False, indent=1)
        return
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if given.until_eof:
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with Shop(given.seed, given.products, not given.no_faults, given.delay, given.slow, given.port) as shop:
        print(shop.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
