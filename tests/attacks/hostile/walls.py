"""The wall itself: the student's kernel owns one end of it, and may say there whatever it likes."""

from __future__ import annotations

from hostile.deed import Deed, attack

WALL = """
import array, gc, json, os, socket, stat, struct, threading, time

walls = [o for o in gc.get_objects() if type(o) is socket.socket and o.family == socket.AF_UNIX]
walls = [wall for wall in walls if wall.fileno() >= 0 and wall.type == socket.SOCK_STREAM]
Talk = next(c for c in gc.get_objects() if type(c) is type and c.__name__ == "Talk" and hasattr(c, "serve"))
honest = Talk.send
FUNCTIONS = ("price", "shares", "totals", "visit", "roman", "greet", "label", "Basket", "limit", "made")


def frame(message, *buffers):
    head = json.dumps([message, [len(b) for b in buffers]]).encode()
    return struct.pack(">I", len(head)) + head + b"".join(buffers)


def replying(answer):
    '''Have every reply made by `answer(tree, number)`: a frame, or None for the honest one.'''

    def send(self, kind, number, within, body, buffers):
        made = answer(body[1], number) if kind == "reply" and "last" not in str(body[1]) else None
        if made is None:
            return honest(self, kind, number, within, body, buffers)
        self.socket.sendall(made)

    Talk.send = send


def values(tree, *buffers):
    '''Reply with `tree`, for each name that is looked up and for each call.'''

    def answer(before, number):
        names = before.get("d") if isinstance(before, dict) else None
        looked_up = isinstance(names, dict) and set(names) <= {*FUNCTIONS} and names
        if looked_up:
            return None
        return frame(["reply", number, 0, [True, tree, {}]], *buffers)

    replying(answer)

"""
CALLABLE = """
for name in FUNCTIONS:
    globals()[name] = lambda *args, **kwargs: None
"""


def replies(tree: str, buffers: str = "") -> Deed:
    """Answers all calls with one tree of the wire's."""
    return Deed(after={"start": WALL + CALLABLE + f"values({tree}{', ' if buffers else ''}{buffers})"}, answers=KEPT)


KEPT = dict.fromkeys(("price", "shares", "totals", "basket", "visit", "limit", "roman", "greet", "label", "made"), "")


@attack(loses=True)
def garbage_written() -> Deed:
    """Writes garbage to every socket that it has."""
    return Deed(
        top="""
import os, stat

for number in range(3, 300):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.write(number, b"\\0\\0\\0\\x02{}" * 50 + b"\\xff" * 1000)
    except OSError:
        pass
"""
    )


@attack(loses=True)
def half_a_frame() -> Deed:
    """Writes half a frame, and nothing more."""
    return Deed(top=WALL + "walls[0].sendall(struct.pack('>I', 5000) + b'[[')", answers={})


@attack(loses=True)
def gigabytes_claimed() -> Deed:
    """Claims that four gigabytes follow, then that a frame has buffers of terabytes."""
    return Deed(
        top=WALL
        + """
def answer(tree, number):
    head = json.dumps([["reply", number, 0, [True, {"bytes": 0}, {}]], [1 << 29, 1 << 42]]).encode()
    return struct.pack(">I", len(head)) + head + b"x" * 1000


replying(answer)
walls[0].sendall(struct.pack(">I", 0xFFFFFFFF)) if len(walls) > 1 else None
"""
    )


@attack(loses=True)
def deep_header() -> Deed:
    """Sends JSON that is nested a million deep."""
    return Deed(
        top=WALL
        + """
head = b"[" * 1_000_000
replying(lambda tree, number: struct.pack(">I", len(head)) + head)
"""
    )


@attack(loses=True)
def wide_header() -> Deed:
    """Sends sixty megabytes of small values."""
    return Deed(
        top=WALL
        + """
head = b"[[" + b"[]," * 9_000_000 + b"0],[]]"
replying(lambda tree, number: struct.pack(">I", len(head)) + head)
"""
    )


@attack(loses=True)
def replies_to_nothing() -> Deed:
    """Replies to requests that nobody made, and to the ones to come, before they come."""
    return Deed(
        top=WALL
        + """
for number in range(1, 200):
    walls[-1].sendall(frame(["reply", number, 0, [True, True, {}]]))
"""
    )


@attack()
def replies_of_its_own() -> Deed:
    """Answers each request with `true`, whatever the agent would say."""
    return Deed(
        top=WALL
        + """
def answer(tree, number):
    names = tree.get("d") if isinstance(tree, dict) else None
    if isinstance(names, dict) and set(names) <= set(FUNCTIONS):
        return frame(["reply", number, 0, [True, {"d": dict.fromkeys(names or ("limit", "made"), True)}, {}]])
    return frame(["reply", number, 0, [True, True, {}]])


replying(answer)
"""
    )


@attack()
def echoes() -> Deed:
    """Answers each call with what the last request held, in the hope that an expected value is among it."""
    return Deed(
        after={
            "start": WALL
            + CALLABLE
            + """
asked = []
honest_answering = Talk.answering


def answering(self, message):
    asked.append(message.body)
    return honest_answering(self, message)


Talk.answering = answering


def answer(tree, number):
    operation, target, args, kwargs, said = asked[-1]
    if operation != "call":
        return None
    plain = [a for body in asked for a in [*body[2], *body[3].values()] if not isinstance(a, (dict, list))]
    return frame(["reply", number, 0, [True, plain[-1] if plain else None, {}]])


replying(answer)
"""
        },
        answers=KEPT,
    )


@attack()
def things_of_the_examiners() -> Deed:
    """Gives back numbers of the examiner's own things as its answers."""
    return replies('{"y": 1}')


@attack()
def forged_numbers() -> Deed:
    """Answers with things that say they are floats, and give another number each time."""
    kinds = (
        '[[7, "float", "builtins", "float", [], ["__float__", "__int__", "__index__", "__len__", "__call__"], True]]'
    )
    return replies('{"o": [12345, 7, ' + kinds + "]}")


@attack()
def forged_mock() -> Deed:
    """Answers with things that say they are `unittest.mock.ANY`, equal to everything."""
    kinds = '[[7, "_ANY", "unittest.mock", "_ANY", [], ["__call__", "__len__", "__iter__"], True]]'
    return replies('{"o": [12345, 7, ' + kinds + "]}")


@attack()
def forged_classes() -> Deed:
    """Answers with classes and members of the libraries themselves: `mock.ANY`'s class, enums, `unittest.TestCase`."""
    return replies(
        '{"k": [5, 8, 7, [[8, "type", "builtins", "type", [], [], True], '
        '[7, "_ANY", "unittest.mock", "_ANY", [], [], True]]]}'
    )


@attack()
def forged_arrays() -> Deed:
    """Answers with arrays of objects, of no size and many elements, of overlapping fields."""
    return replies('{"array": ["|V0", [1 << 40], "C", 0]}', 'b""')


@attack()
def forged_objects() -> Deed:
    """Answers with an array that is to hold Python's objects at addresses of its choice."""
    return replies('{"array": ["|O", [1], "C", 0]}', 'b"A" * 8')


@attack()
def forged_time_zone() -> Deed:
    """Answers with a moment in a time zone that is a path."""
    return replies('{"datetime": ["2024-01-01T00:00:00", 0, "../../../etc/passwd"]}')


@attack()
def forged_decimal() -> Deed:
    """Answers with a decimal number whose digits would fill the memory."""
    return replies('{"Decimal": "1e999999999999"}')


@attack(loses=True)
def colliding_hashes() -> Deed:
    """Answers with a set of numbers that all have one hash."""
    return replies('{"set": [n * (2 ** 61 - 1) for n in range(1, 200_000)]}')


@attack()
def forged_errors() -> Deed:
    """Answers with exceptions of the grader's own classes, and of those that end loops."""
    return Deed(
        after={
            "start": WALL
            + CALLABLE
            + """
def answer(tree, number):
    if isinstance(tree, dict) and "d" in tree:
        return None
    kinds = [[3, "object", "builtins", "object", [], [], False],
             [4, "Gone", "coursemill.effects.sandbox.inmate.talk", "Gone", [3], [], False]]
    error = {"yours": 0, "kind": 4, "new": kinds, "args": {"t": []}, "held": {"d": {}}, "fields": {"d": {}},
             "thing": 99, "said": "passed", "trace": "", "cause": None}
    return frame(["reply", number, 0, [False, error, {}]])


replying(answer)
"""
        },
        answers=KEPT,
    )


@attack()
def files_nobody_asked_for() -> Deed:
    """Sends files with a reply to a test that looks at no files: modules that the examiner may import."""
    return Deed(
        after={
            "start": WALL
            + CALLABLE
            + """
lie = b"import builtins\\nbuiltins.AssertionError = int\\n"
names = ("decimal.py", "fractions.py", "statistics.py", "difflib.py", "pprint.py", "unittest.py", "numpy.py", "shop.py")
head = json.dumps({"there": [[0, name, len(lie)] for name in names], "gone": [[0, "stock.csv"]]}).encode()
files = struct.pack(">I", len(head)) + head + lie * len(names)


def answer(tree, number):
    if isinstance(tree, dict) and "d" in tree:
        return None
    return frame(["reply", number, 0, [True, None, {"files": 0}]], files)


replying(answer)
"""
        },
        answers=KEPT,
    )


@attack()
def paths_in_files() -> Deed:
    """Sends files whose paths lead out of the folder."""
    return Deed(
        after={
            "start": WALL
            + CALLABLE
            + """
head = json.dumps({"there": [[0, "../../../etc/passwd", 1], [7, "x", 1], [0, "/run/x", 1]], "gone": []}).encode()
files = struct.pack(">I", len(head)) + head + b"xxx"
replying(lambda tree, number: frame(["reply", number, 0, [True, None, {"files": 0}]], files)
         if not (isinstance(tree, dict) and "d" in tree) else None)
"""
        },
        answers=KEPT,
    )


@attack(loses=True)
def flood_of_requests() -> Deed:
    """Asks the examiner without end, and without having been asked."""
    return Deed(
        top=WALL
        + """
def flood(wall):
    big = bytes(1 << 20)
    for number in range(1, 100_000):
        wall.sendall(frame(["ask", number, 0, ["call", 1, [{"bytes": 0}], {}, {}]], big))


for wall in walls:
    threading.Thread(target=flood, args=(wall,), daemon=True).start()
"""
    )


@attack(loses=True)
def descriptors_sent() -> Deed:
    """Sends descriptors along: of itself, of the wall, hundreds of them."""
    return Deed(
        top=WALL
        + """
for wall in walls:
    for _ in range(50):
        try:
            socket.send_fds(wall, [b"\\0\\0\\0\\x02[]"], [0, 1, 2, wall.fileno()] * 30)
        except OSError:
            pass
"""
    )


@attack(loses=True)
def wall_closed() -> Deed:
    """Closes its end of the wall."""
    return Deed(top=WALL + "for wall in walls:\n    wall.shutdown(socket.SHUT_RDWR)\n    wall.close()")


@attack(loses=True)
def wall_read_by_others() -> Deed:
    """Reads from the wall in threads, so that the agent misses what it is asked."""
    return Deed(
        top=WALL
        + """
def read(wall):
    while True:
        try:
            wall.recv(10)
        except OSError:
            return


for wall in walls:
    for _ in range(3):
        threading.Thread(target=read, args=(wall,), daemon=True).start()
"""
    )


@attack(loses=True, timeout=2.0)
def one_byte_at_a_time() -> Deed:
    """Answers one byte at a time, with a rest after each."""
    return Deed(
        top=WALL
        + """
class Slow:
    def __init__(self, wall):
        self.wall = wall

    def sendall(self, data):
        for byte in data:
            self.wall.send(bytes([byte]))
            time.sleep(0.2)


def send(self, kind, number, within, body, buffers):
    Slow(self.socket).sendall(frame([kind, number, within, body]))


Talk.send = send
"""
    )


@attack(loses=True)
def a_child_answers() -> Deed:
    """Forks: the child has the wall, too, and answers as well as the parent."""
    return Deed(
        top=WALL
        + """
if os.fork() == 0:
    wall = walls[-1]
    while True:
        try:
            wall.recv(100)
            wall.sendall(frame(["reply", 1, 0, [True, True, {}]]))
        except BaseException:
            os._exit(0)
"""
    )


@attack(loses=True)
def end_said() -> Deed:
    """Says `end`, and kinds of messages that do not exist."""
    return Deed(
        top=WALL
        + """
for kind in ("end", "passed", "", "ask" * 1000):
    walls[-1].sendall(frame([kind, 0, 0, None]))
walls[-1].sendall(frame({"kind": "reply"}) + frame([1, 2, 3, 4]) + frame(None))
"""
    )
