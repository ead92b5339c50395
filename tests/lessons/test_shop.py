"""The shop of the web-scraping worksheet: the same every time, true to its tables, and a good counter."""

import http.client
import importlib.util
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

bs4 = pytest.importorskip("bs4")
pytest.importorskip("lxml")

FILE = Path(__file__).parents[2] / "notes/_worksheets/WS_WebScraping_1/shop.py"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
CLEAN = {"missing": [], "extra": [], "doubled": [], "wrong": []}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_of_the_lessons", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up; `shop` is a name that other tests use
    spec.loader.exec_module(module)
    return module


shop_module = load()
Shop, Site, compare = shop_module.Shop, shop_module.Site, shop_module.compare


@pytest.fixture(scope="module")
def site() -> Any:
    return Site(seed=7)


@pytest.fixture
def shop() -> Iterator[Any]:
    with Shop(seed=7, products=40, slow=0.05) as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, bytes, Any]:
    """Status, body and headers; no error for a 404, and redirects are followed."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


# What pages say, read by somebody who knows them


def text(tag: Any) -> str | None:
    return " ".join(tag.get_text().split()) if tag else None


def price(tag: Any) -> float | None:
    if tag is None:
        return None
    for small in tag.select("small"):
        small.decompose()
    said = re.sub(r"[^\d.,–]", "", tag.get_text())
    if re.search(r",\d\d$", said):
        return float(said.replace(".", "").replace(",", "."))
    return float(said.replace(".–", ".00").replace(",", ""))


def written(time: Any) -> str:
    said = time.get_text()
    if "datetime" in time.attrs:
        return str(time["datetime"])
    if re.fullmatch(r"[\d.]+", said):
        day, month, year = said.split(".")
    else:
        year = re.search(r"\d{4}", said)[0]
        day = re.search(r"\b\d{1,2}\b", said)[0]
        month = MONTHS.index(re.search(r"[A-Z][a-z]{2}", said)[0]) + 1
    return f"{year}-{int(month):02}-{int(day):02}"


def product_on(soup: Any, url: str) -> dict[str, Any]:
    article = soup.select_one("article.product-listing")
    image = article.select_one("img.product-image")
    items = {text(row.th): text(row.td) for row in article.select("table.specs tr")}
    average = article.select_one(".average")
    return {
        "sku": article["data-product-id"],
        "name": text(article.h1),
        "category": soup.select_one(".breadcrumb a[href^='/category/']")["href"].rpartition("/")[2],
        "url": url,
        "price": price(article.select_one(".current-price")),
        "original_price": price(article.select_one(".original-price")),
        "in_stock": "in-stock" in article.select_one(".stock")["class"],
        "image": image and image.get("data-src", image["src"]),
        "description": text(article.select_one("#description"))[len("Product Description ") :]
        if article.select_one("#description")
        else None,
        "features": [text(item) for item in article.select(".features li")],
        "specs": items,
        "rating": float(average.get_text().split()[0]) if average else None,
        "review_count": int(article.select_one("#review-count").get_text()),
    }


def reviews_on(soup: Any, sku: str) -> Iterator[dict[str, Any]]:
    for item in soup.select("section.reviews > .review-item"):
        reply = item.select_one(".reply .review-text")
        said = reply and text(reply)
        for replies in item.select(".replies"):
            replies.decompose()
        rating = item.select_one(".review-rating")
        stars = None
        if rating:
            stars = int(rating.span.get_text()) if rating.span else rating.get_text().count("★")
        yield {
            "review_id": item["data-review-id"],
            "sku": sku,
            "reviewer": text(item.select_one(".reviewer-name")),
            "rating": stars,
            "date": written(item.time),
            "text": text(item.select_one(".review-text")),
            "helpful": int(item["data-helpful"]),
            "reply": said,
        }


@pytest.mark.parametrize("seed", [7, 11])
def test_the_tables_agree_with_the_pages(seed: int) -> None:
    site = Site(seed)
    products, reviews = [], []
    for page in site.pages:
        if page["kind"] != "product":
            continue
        parser = "html5lib" if page["broken"] else "lxml"
        soup = bs4.BeautifulSoup(site.html(page["url"]), parser)
        products.append(product_on(soup, page["url"]))
        while True:
            reviews += reviews_on(soup, products[-1]["sku"])
            more = soup.select_one("a.load-more")
            if not more:
                break
            soup = bs4.BeautifulSoup(site.html(more["href"]), "lxml")
    fields = [name for name in site.products[0] if name != "currency"]
    assert compare(products, site.products, "sku", fields) == CLEAN
    assert compare(reviews, site.reviews, "review_id") == CLEAN


@pytest.mark.parametrize("seed", [7, 11])
def test_the_table_of_pages_is_what_following_links_finds(seed: int) -> None:
    site = Site(seed)
    known = {page["url"]: page for page in site.pages}
    found: dict[str, int] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        page = site.answer(shop_module.Asked(path))
        found[path] = page.status
        if page.status in (301, 302):
            links = [dict(page.headers)["Location"]]
        elif page.type == "text/html":
            soup = bs4.BeautifulSoup(page.content().decode(page.encoding), "lxml")
            links = [a["href"] for a in soup.select("a[href]") if a.get("rel") != ["nofollow"]]
        for link in links:
            parts = urlsplit(urljoin(f"http://shop.test{path}", link))
            to = parts.path + (f"?{parts.query}" if parts.query else "")
            if (
                parts.netloc != "shop.test"
                or parts.query in ("ref=home", "page=1")
                or re.match("/(print|search)/?", to)
            ):
                continue
            if to not in found and to not in waiting:
                waiting.append(to)
    assert {path: page["status"] for path, page in known.items()} == found
    assert 300 < len(found) < 500


def test_a_seed_makes_one_shop(site: Any) -> None:
    again, other = Site(seed=7), Site(seed=8)
    assert (again.products, again.reviews, again.pages) == (site.products, site.reviews, site.pages)
    for page in site.pages:
        asked = shop_module.Asked(page["url"])
        assert again.answer(asked).content() == site.answer(asked).content()
    assert other.products != site.products


def test_a_process_of_another_hash_seed_makes_the_same_shop(site: Any) -> None:
    command = [sys.executable, str(FILE), "--seed", "7", "--truth", "products"]
    printed = subprocess.run(
        command, capture_output=True, check=True, timeout=60, env={"PYTHONHASHSEED": "3", "PYTHONUTF8": "1"}
    )
    assert json.loads(printed.stdout) == site.products


def test_the_shop_has_every_weak_point(site: Any) -> None:
    pages = site.pages
    assert {page["fails"] for page in pages} == {0, 1, 2, 3}
    assert {page["broken"] for page in pages} == {"", "unclosed", "sloppy", "cut"}
    assert {page["declared"] for page in pages} == {"header", "meta", "nearly", "nowhere"}
    assert {page["status"] for page in pages} == {200, 301, 302, 404, 410}
    assert sum(page["slow"] for page in pages) >= 5
    for name in ("price", "original_price", "image", "description", "rating"):
        assert sum(row[name] is None for row in site.products) > 5
    calm = {row["url"] for row in site.products if row["category"] == "books"}
    assert not any(p["fails"] or p["slow"] or p["broken"] or p["status"] != 200 for p in pages if p["url"] in calm)


def test_a_shop_without_faults() -> None:
    pages = Site(7, faults=False).pages
    assert {page["status"] for page in pages} == {200, 302}
    assert not any(page["fails"] or page["slow"] or page["broken"] or page["declared"] != "header" for page in pages)


@pytest.mark.parametrize("products", [1, 3, 17, 60, 700])
def test_shops_of_other_sizes(products: int) -> None:
    site = Site(3, products, faults=products > 20)
    assert products - 20 <= len(site.products) <= products
    assert len({row["sku"] for row in site.products}) == len(site.products)
    for page in site.pages:
        assert site.answer(shop_module.Asked(page["url"])).status == page["status"]


def test_pages_over_http_are_the_site_s(shop: Any) -> None:
    for page in shop.pages:
        status, body, headers = get(shop.url + page["url"])
        while status == 503:
            status, body, headers = get(shop.url + page["url"])
        if page["redirect"] is None:
            assert status == page["status"]
        if page["kind"] == "product":
            assert body.decode(page["encoding"]) == shop.html(page["url"])
            said = headers.get_content_charset()
            right = {"header": page["encoding"], "nearly": "iso-8859-1"}.get(page["declared"])
            assert said == right


def test_busy_pages_heal_and_fail_again_after_a_reset(shop: Any) -> None:
    page = max(shop.pages, key=lambda page: page["fails"])
    assert page["fails"]
    for _ in range(2):
        statuses = [get(shop.url + page["url"])[0] for _ in range(page["fails"] + 2)]
        assert statuses == [503] * page["fails"] + [200, 200]
        assert shop.report()["statuses"] == {200: 2, 503: page["fails"]}
        assert get(f"{shop.url}/_reset")[0] == 200
    assert shop.log == []


def test_the_counter_counts(shop: Any) -> None:
    for path in ("/robots.txt", "/about", "/about", "/search?q=wren", "/nothing"):
        get(shop.url + path, User_Agent="Wren/1.0")
    report = shop.report()
    assert report["requests"] == 5
    assert report["statuses"] == {200: 4, 404: 1}
    assert report["agents"] == {"Wren/1.0": 5}
    assert report["repeated"] == {"GET /about": 2}
    assert report["robots_first"] is True
    assert report["robots_violations"] == ["/search?q=wren"]
    assert report["most_at_once"] == 1
    said = json.loads(get(f"{shop.url}/_log")[1])
    assert said["report"] == json.loads(json.dumps(report))
    assert [entry["target"] for entry in said["requests"]][-1] == "/nothing"


def test_robots_of_a_name_may_be_locked_out(shop: Any) -> None:
    get(f"{shop.url}/about", User_Agent="GreedyBot/2 (+http://greedy.example)")
    assert shop.report()["robots_violations"] == ["/about"]


def test_the_counter_sees_gaps_and_crowds(shop: Any) -> None:
    for _ in range(3):
        get(f"{shop.url}/about")
        time.sleep(0.1)
    assert shop.report()["least_gap"] >= 0.09
    shop.reset()
    shop.delay = 0.3
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: get(f"{shop.url}/about"), range(4)))
    report = shop.report()
    assert report["most_at_once"] > 1
    assert all(entry["took"] >= 0.29 for entry in shop.log)


def test_many_clients_at_once() -> None:
    with Shop(seed=7, products=16, faults=False) as shop, ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: get(f"{shop.url}/category/books")[0], range(400)))
        assert statuses == [200] * 400
        assert shop.report()["requests"] == 400


def test_one_connection_serves_many_requests_and_survives_rude_clients(shop: Any) -> None:
    port = urlsplit(shop.url).port
    rude = http.client.HTTPConnection("127.0.0.1", port)
    rude.request("GET", "/")
    rude.sock.close()
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in ("/about", "/terms", "/nothing"):
        kept.request("GET", path)
        kept.getresponse().read()
    kept.request("GET", "/lab/drop")
    with pytest.raises(http.client.RemoteDisconnected):
        kept.getresponse()
    assert get(f"{shop.url}/about")[0] == 200


def asked_in_vain(url: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        get(url)


def test_a_shop_ends_with_its_block() -> None:
    before = threading.active_count()
    with Shop(products=8, faults=False) as shop:
        url = shop.url
        kept = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
        kept.request("GET", "/about")
        kept.getresponse().read()
        waiting = threading.Thread(target=asked_in_vain, args=(f"{url}/lab/slow/60",))
        waiting.start()
        while shop.report()["requests"] < 2:
            time.sleep(0.01)
        began = time.monotonic()
    waiting.join(10)
    assert time.monotonic() - began < 5
    assert threading.active_count() == before
    with pytest.raises(urllib.error.URLError):
        get(f"{url}/about")
    with pytest.raises(RuntimeError, match="closed"):
        _ = shop.url
    assert shop.report()["requests"] == 2
    shop.close()  # twice is no error
    kept.close()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, None])
def test_a_shop_as_a_process(end: int | None) -> None:
    command = [sys.executable, str(FILE), "--products", "8", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        url = process.stdout.readline().strip()
        assert get(f"{url}/robots.txt")[0] == 200
        assert json.loads(get(f"{url}/_log")[1])["report"]["requests"] == 1
        if end is None:
            process.stdin.close()
        else:
            process.send_signal(end)
        assert process.wait(10) == 0


def test_customers_log_in(shop: Any) -> None:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = bs4.BeautifulSoup(opener.open(f"{shop.url}/account").read(), "lxml").select_one("form#login")
    token = form.select_one("[name=csrf_token]")["value"]
    for password, greeting in (("wrong", "Log in"), ("lovelace", "Hello, ada")):
        sent = f"csrf_token={token}&user=ada&password={password}".encode()
        soup = bs4.BeautifulSoup(opener.open(shop.url + form["action"], sent).read(), "lxml")
        assert soup.h1.get_text() == greeting
    rows = [[cell.get_text() for cell in row.select("td")] for row in soup.select("table.orders tr")[1:]]
    assert rows == [list(order.values()) for order in shop.orders]
    assert get(f"{shop.url}/login", X="y")[0] == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        opener.open(f"{shop.url}/login", b"user=ada&password=lovelace")


def test_the_api_says_what_the_tables_say(shop: Any) -> None:
    rows, path = [], "/api/products?category=books"
    while path:
        answer = json.loads(get(shop.url + path)[1])
        rows += answer["items"]
        path = answer["next"]
    assert rows == [row for row in shop.products if row["category"] == "books"]
    busiest = max(shop.products, key=lambda row: row["review_count"])["sku"]
    answer = json.loads(get(f"{shop.url}/api/products/{busiest}/reviews?page=2")[1])
    assert answer["items"] == [row for row in shop.reviews if row["sku"] == busiest][4:8]
    assert json.loads(get(f"{shop.url}/api/products/{busiest}")[1])["sku"] == busiest


def test_sitemaps_list_all_products(shop: Any) -> None:
    assert f"Sitemap: {shop.url}/sitemap.xml" in get(f"{shop.url}/robots.txt")[1].decode()
    maps = re.findall("<loc>(.*?)</loc>", get(f"{shop.url}/sitemap.xml")[1].decode())
    assert len(maps) == 2
    places = re.findall("<loc>(.*?)</loc>", get(maps[0])[1].decode())
    assert places == [shop.url + row["url"] for row in shop.products]


def test_the_laboratory(shop: Any) -> None:
    lab = f"{shop.url}/lab"
    assert [get(f"{lab}/flaky/2?x")[0] for _ in range(3)] == [503, 503, 200]
    assert get(f"{lab}/flaky/2?y")[0] == 503
    assert get(f"{lab}/status/418")[0] == 418
    assert json.loads(get(f"{lab}/redirect/3", X_Bird="tern")[1])["x-bird"] == "tern"
    assert get(f"{lab}/auth")[0] == 401
    assert len(get(f"{lab}/big/50")[1]) == 50_000
    assert json.loads(get(f"{lab}/cookies", Cookie="a=1; b=2")[1]) == {"a": "1", "b": "2"}
    assert get(f"{lab}/cookies?c=3&d=4")[2].get_all("Set-Cookie") == ["c=3; Path=/", "d=4; Path=/"]
    began = time.monotonic()
    get(f"{lab}/slow/0.2")
    assert time.monotonic() - began >= 0.2
    assert get(f"{lab}/nothing")[0] == 404


def test_pages_may_be_cached_and_compressed(shop: Any) -> None:
    _, body, headers = get(f"{shop.url}/about")
    status, empty, _ = get(f"{shop.url}/about", If_None_Match=headers["ETag"])
    assert (status, empty) == (304, b"")
    _, packed, headers = get(f"{shop.url}/about", Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert len(packed) < len(body)


def test_visits_are_counted_by_a_cookie(shop: Any) -> None:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    said = [opener.open(f"{shop.url}/visit").read().decode() for _ in range(3)]
    assert [re.search(r'id="visits">(\d+)', page)[1] for page in said] == ["1", "2", "3"]


def test_compare_tells_what_differs() -> None:
    truth = [{"sku": "a", "price": 1.5, "sale": True}, {"sku": "b", "price": None, "sale": False}]
    assert compare([dict(row) for row in truth], truth, "sku") == CLEAN
    assert compare([truth[0], {"sku": "b", "price": float("nan"), "sale": False}], truth, "sku") == CLEAN
    got = [{"sku": "a", "price": "1.5", "sale": 1}, {"sku": "a"}, {"sku": "c"}]
    assert compare(got, truth, "sku") == {
        "missing": ["b"],
        "extra": ["c"],
        "doubled": ["a"],
        "wrong": [("a", "price", "1.5", 1.5), ("a", "sale", 1, True)],
    }
    assert compare(got[:1], truth[:1], "sku", ["sku"]) == CLEAN
