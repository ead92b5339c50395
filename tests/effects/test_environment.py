"""Modules lead to what was installed for them."""

from importlib.metadata import version

from coursemill.effects import environment


def test_modules_and_names_are_looked_up() -> None:
    found = environment.installed(["yaml", "rich.table", "no_such_module"], ["Rich[all]", "no-such-thing"])
    assert found.modules["yaml"][1] == version("pyyaml")
    assert found.modules["rich.table"] == ("rich", version("rich"))
    assert "no_such_module" not in found.modules
    assert found.versions == {"rich": version("rich")}


def test_the_state_stays_while_nothing_is_installed() -> None:
    assert environment.state() == environment.state()
    assert "site-packages" in environment.state()
