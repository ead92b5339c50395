"""TensorFlow's data and objects through the wall; in a process of its own, which its threads stay in."""

import importlib.util
import subprocess
import sys

import pytest

PROGRAM = """
import os
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
import keras, numpy as np, tensorflow as tf
from coursemill.pure import wire
from coursemill.pure.wall import Proxy, Wall

wall = Wall()
value = tf.constant([1.0, 2.0])
assert type(wall.see(value)) is type(value) and wall.see(value) is not value
assert wall.see(value).numpy().tolist() == [1, 2]
assert wall.see(tf.TensorShape([None, 3])) == (None, 3)
assert wall.see(tf.float32) is tf.float32
assert wall.see(tf.TensorSpec((2,), tf.int32)) == tf.TensorSpec((2,), tf.int32)

specs = [tf.float32, tf.TensorShape([None, 3]), tf.TensorShape(None), tf.TensorSpec([None], tf.int64, "n")]
for given in (value, tf.constant(["a", "b"]), tf.constant(b"x"), tf.zeros((0, 3), tf.bfloat16), tf.constant(3), *specs):
    made = wire.loads(wire.dumps(given))
    assert type(made) is type(given) and repr(made) == repr(given), (made, given)
assert float(wall.see(tf.Variable(2.5))) == 2.5 and int(wall.see(tf.Variable(3))) == 3

data = wall.see(tf.data.Dataset.range(5).batch(2))
assert issubclass(type(data), Proxy) and isinstance(data, tf.data.Dataset)
assert [batch.numpy().tolist() for batch in data] == [[0, 1], [2, 3], [4]]
assert [len(batch) for batch in data.as_numpy_iterator()] == [2, 2, 1]
assert (len(data), data.element_spec) == (3, tf.TensorSpec((None,), tf.int64))

model = wall.see(keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3)]))
assert isinstance(model, keras.Model)
assert model.predict(np.ones((1, 2)), verbose=0).shape == model(np.ones((1, 2))).shape == (1, 3)
assert (model.layers[0].units, model.count_params(), model.output_shape) == (3, 9, (None, 3))
assert np.asarray(model.weights[0]).shape == (2, 3)
print("done")
"""


@pytest.mark.lesson
def test_tensorflow() -> None:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("the lessons' libraries are not installed")
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ended.stdout == "done\n", ended.stderr
