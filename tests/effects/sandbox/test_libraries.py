"""What lessons use works inside, within the limits that a kernel has when nothing is said."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]

SITE = """
import functools, http.server, pathlib, threading
pathlib.Path("site").mkdir()
for n in range(3):
    link = f'<a href="{n + 1}.html">next</a>' if n < 2 else ""
    pathlib.Path(f"site/{n}.html").write_text(f"<h1>page {n}</h1>{link}")
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass
site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="site"))
threading.Thread(target=site.serve_forever, daemon=True).start()
"""
CRAWL = """
import json, subprocess, sys
def scrapy(*arguments, **where):
    done = subprocess.run([sys.executable, "-m", "scrapy", *arguments], capture_output=True, text=True, **where)
    print(done.stderr if done.returncode else "", end="")
scrapy("startproject", "crawler")
pathlib.Path("crawler/crawler/spiders/pages.py").write_text(f'''
import scrapy

class Pages(scrapy.Spider):
    name = "pages"
    start_urls = ["http://localhost:{site.server_port}/0.html"]
    custom_settings = {{"DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": False}}

    def parse(self, response):
        yield {{"title": response.css("h1::text").get()}}
        yield from response.follow_all(css="a", callback=self.parse)
''')
scrapy("crawl", "pages", "-O", "pages.json", cwd="crawler")
print([page["title"] for page in json.loads(pathlib.Path("crawler/pages.json").read_text())])
"""
SPARK = """
from pyspark.sql import SparkSession
settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.driver.memory": "512m"}
spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
rows = spark.range(10).selectExpr("id % 2 as odd").groupBy("odd").count().orderBy("odd").collect()
print("counts", [tuple(row) for row in rows])
print("sum", spark.sparkContext.parallelize(range(5)).map(lambda x: x * 2).sum())
spark.stop()
"""
NODE = """
import subprocess
script = "Promise.resolve([1, 2, 3].map(x => x * x)).then(x => console.log(JSON.stringify(x)))"
print(subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout, end="")
"""
POOL = """
import multiprocessing, os
def square(x):
    return x * x, os.getpid() != parent
parent = os.getpid()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(square, range(4)))
"""


def test_a_spider_crawls_a_server_of_the_same_kernel(start: Callable[..., Any]) -> None:
    cell = start()
    assert cell.run(SITE) == ""
    assert cell.run(CRAWL) == "['page 0', 'page 1', 'page 2']\n"


@pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java")
def test_spark_computes(start: Callable[..., Any]) -> None:
    said = start(imports=("pyspark.sql",)).run(SPARK, timeout=90)
    assert "counts [(0, 5), (1, 5)]\n" in said, said
    assert "sum 20\n" in said, "and with Python's workers"


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_node_runs_as_a_subprocess(start: Callable[..., Any]) -> None:
    assert start().run(NODE) == "[1,4,9]\n"


def test_a_figure_is_shown(start: Callable[..., Any]) -> None:
    cell = start(imports=("matplotlib.pyplot",))
    shown: list[dict[str, Any]] = []
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()"
    cell.talk.execute_interactive(code, timeout=60, output_hook=shown.append)
    (figure,) = [message["content"]["data"] for message in shown if message["msg_type"] == "display_data"]
    assert figure["image/png"].startswith("iVBOR")


def test_a_pool_of_processes_shares_work(start: Callable[..., Any]) -> None:
    assert start().run(POOL) == "[(0, True), (1, True), (4, True), (9, True)]\n"
