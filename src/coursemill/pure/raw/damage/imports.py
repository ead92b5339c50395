"""Which import a name needs, where its name alone says it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping

LIBRARIES = frozenset({
    "bs4", "dask", "flask", "httpx", "joblib", "lxml", "matplotlib", "networkx", "nltk", "numpy", "pandas", "plotly",
    "polars", "pyarrow", "pyspark", "pytest", "requests", "scipy", "scrapy", "seaborn", "sklearn", "spacy",
    "tensorflow", "torch", "tqdm", "transformers", "xgboost", "yaml",
})  # fmt: skip
MODULES: Mapping[str, str] = {
    "F": "from pyspark.sql import functions as F",
    "cv2": "import cv2",
    "go": "import plotly.graph_objects as go",
    "jnp": "import jax.numpy as jnp",
    "keras": "from tensorflow import keras",
    "layers": "from tensorflow.keras import layers",
    "lgb": "import lightgbm as lgb",
    "mpl": "import matplotlib as mpl",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "nx": "import networkx as nx",
    "optimizers": "from tensorflow.keras import optimizers",
    "pa": "import pyarrow as pa",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "pq": "import pyarrow.parquet as pq",
    "px": "import plotly.express as px",
    "sm": "import statsmodels.api as sm",
    "sns": "import seaborn as sns",
    "tf": "import tensorflow as tf",
    "xgb": "import xgboost as xgb",
    **{name: f"import {name}" for name in LIBRARIES},
}
"""Name that stands before a dot → the import that it needs."""
ORDINARY = frozenset({
    "array", "calendar", "cmd", "code", "email", "html", "http", "keyword", "numbers", "parser", "platform", "profile",
    "queue", "select", "selectors", "site", "string", "symbol", "test", "this", "token", "trace", "types", "wave",
    "xml",
})  # fmt: skip
"""Modules of the standard library whose names variables often have."""
_FROM: Mapping[str, str] = {
    "abc": "ABC abstractmethod",
    "bs4": "BeautifulSoup",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "concurrent.futures": "ProcessPoolExecutor ThreadPoolExecutor",
    "contextlib": "contextmanager suppress",
    "dataclasses": "dataclass",
    "datetime": "timedelta timezone",
    "decimal": "Decimal",
    "enum": "Enum",
    "fractions": "Fraction",
    "functools": "lru_cache partial reduce wraps",
    "io": "BytesIO StringIO",
    "itemadapter": "ItemAdapter",
    "itertools": "combinations permutations",
    "pathlib": "Path",
    "pyspark.sql": "SparkSession",
    "pyspark.sql.functions": "col lit udf when",
    "pyspark.sql.types": "IntegerType StringType StructField StructType",
    "scrapy.crawler": "CrawlerProcess CrawlerRunner",
    "scrapy.exceptions": "CloseSpider DropItem IgnoreRequest",
    "scrapy.linkextractors": "LinkExtractor",
    "scrapy.loader": "ItemLoader",
    "sklearn.ensemble": "RandomForestClassifier RandomForestRegressor",
    "sklearn.linear_model": "LinearRegression LogisticRegression",
    "sklearn.metrics": "accuracy_score classification_report confusion_matrix mean_squared_error",
    "sklearn.model_selection": "GridSearchCV train_test_split",
    "sklearn.preprocessing": "LabelEncoder MinMaxScaler OneHotEncoder StandardScaler",
    "tensorflow.keras.callbacks": "EarlyStopping ModelCheckpoint TensorBoard",
    "tensorflow.keras.layers": "Conv2D Dense Dropout Flatten LSTM MaxPooling2D",
    "tensorflow.keras.models": "Sequential load_model",
    "typing": "Any Callable Dict Iterable Iterator List NamedTuple Optional Tuple TypedDict Union",
    "urllib.parse": "parse_qs quote urlencode urljoin urlparse",
}
NAMES = {name: f"from {module} import {name}" for module, names in _FROM.items() for name in names.split()}


def needed(use: ast.Name, parent: ast.AST, text: str) -> str:
    """Return the import that the use of an undefined name asks for; empty when nothing says that it is imported.

    `text` is the code around: a library that it mentions is the one that is meant.
    """
    name = use.id
    if isinstance(parent, ast.Attribute):
        if name == "F" and "torch" in text:
            return "import torch.nn.functional as F"
        if name == "datetime" and parent.attr in {"now", "strptime", "fromisoformat", "today", "utcnow", "combine"}:
            return "from datetime import datetime"
        if name in MODULES:
            return MODULES[name]
        return f"import {name}" if name in sys.stdlib_module_names and name not in ORDINARY else ""
    if name[0].islower() and not isinstance(parent, ast.Call) and name not in {"dataclass", "lru_cache"}:
        return ""
    return NAMES.get(name, "")
