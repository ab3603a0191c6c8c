"""What a workbook costs is paid by whoever asks for one."""

import subprocess
import sys


def test_no_service_carries_the_library_of_workbooks_before_somebody_asks_for_one() -> None:
    """18 MB of a web process, with all that it loads."""
    loaded = "from ecm import api; api.routers(); import sys; print('openpyxl' in sys.modules, 'numpy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]
