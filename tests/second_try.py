"""In CI, tests over real processes, sockets and browsers get a second try, alone.

What holds only sometimes is named in the summary. Decision 0080 says why.
"""

import os
import subprocess
import sys

import pytest

MOST = 3
"""How many tests may fail and still get a second try: more than that is no coincidence."""


class SecondTry:
    """Runs failed tests that are marked slow again, one after the other, once the others ended.

    Where all of them pass, the run passes and names them. A failure of any other kind stands.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()
        self._must_stand = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed."""
        if report.failed and "slow" in report.keywords:
            self._failed.add(report.nodeid)
        elif report.failed:
            self._must_stand = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Let the failure of a file that can't be read stand."""
        self._must_stand |= report.failed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Run them again, and decide."""
        failed = sorted(self._failed)
        is_only_failed = exitstatus == pytest.ExitCode.TESTS_FAILED
        if not is_only_failed or self._must_stand or not 0 < len(failed) <= MOST:
            return
        names, terminal = ", ".join(failed), session.config.get_terminal_writer()
        terminal.line(f"\nSecond try, alone: {names}")
        terminal.flush()
        environ = {**os.environ, "SECOND_TRY": "0"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *failed]
        again = subprocess.run(command, check=False, cwd=session.config.rootpath, env=environ)
        if again.returncode == 0:
            session.exitstatus = pytest.ExitCode.OK
            terminal.line(f"UNSTEADY: {names} failed, and passed at the second try")
