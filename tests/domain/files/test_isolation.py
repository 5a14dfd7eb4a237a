"""Scripts that run apart from the web server."""

import time
from pathlib import Path

from myukm.domain.files.isolation import MAX_OUTPUT_BYTES, run_script


def test_the_time_out_also_ends_a_script_that_keeps_printing(tmp_path: Path) -> None:
    script = tmp_path / "drip.py"
    script.write_text("import time\nfor _ in range(200): print('x', flush=True); time.sleep(0.1)")
    began = time.monotonic()
    assert run_script(script, [], seconds=3).startswith(b"x")
    assert time.monotonic() - began < 10, "the script prints for 20 s"


def test_output_is_cut_at_its_limit(tmp_path: Path) -> None:
    script = tmp_path / "much.py"
    script.write_text(f"print('x' * {10 * MAX_OUTPUT_BYTES})")
    assert run_script(script, [], seconds=20) == b"x" * MAX_OUTPUT_BYTES
