from pathlib import Path

from coursemill.effects.sandbox import hardware


def test_device_nodes_are_let_in_for_their_accelerator_only(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "accel0", "sda", "kvm", "mem"):
        (tmp_path / name).touch()
    assert hardware.of("cpu", tmp_path) == hardware.Hardware()
    assert {Path(node).name for node in hardware.of("gpu", tmp_path).devices} == {"nvidia0", "nvidiactl", "nvidia-uvm"}
    assert {Path(node).name for node in hardware.of("tpu", tmp_path).devices} == {"accel0"}
