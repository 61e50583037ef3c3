"""What a run does when files are saved: which programs use them, and what new settings change."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from bff_core.cli.dev.launcher import Launcher
from bff_core.cli.dev.plan import Planned
from bff_core.cli.dev.program_changes import ProgramChanges
from bff_core.cli.dev.saved_files import SavedFiles
from bff_core.cli.dev.view import RunView
from bff_core.cli.dev.watch import SETTINGS, NoWatcher, Owners, watch
from bff_core.cli.errors import CannotRun
from bff_core.errors import ConfigurationError


class Reloads:
    """Watches the files of a project, and reloads the programs that saved files concern.

    `plan` is the newest one; `replan` reads it again after its settings were saved.
    """

    def __init__(
        self,
        plan: Planned,
        changes: ProgramChanges,
        launcher: Launcher,
        view: RunView,
        *,
        saved: SavedFiles,
        replan: Callable[[], Planned] | None,
    ) -> None:
        self.plan = plan
        self._root = plan.programs[0].root
        self._changes = changes
        self._launcher = launcher
        self._view = view
        self._saved = saved
        self._replan = replan
        self._owners = Owners([*plan.programs, *plan.others], plan.environ)

    async def watch(self) -> None:
        """Watch the files until the run ends; where they can't be watched, say so."""
        try:
            await watch(self._root, self._reload)
        except* NoWatcher as missing:
            self._view.note(str(missing.exceptions[0]))
        except* (OSError, RuntimeError) as failed:  # such as the limit of the system
            self._view.failure("", f"files are not watched: {failed.exceptions[0]}")

    def _reload(self, paths: AbstractSet[Path]) -> None:
        """Reload the programs whose code or settings were saved or deleted."""
        settings = {path for path in paths if self._is_setting(path)}
        applied = self._apply({path.name for path in settings}) if settings else set()
        for name in applied:
            self._saved.add(name, settings)
        preloaded = {path for path in paths if self._launcher.has_preloaded(str(path))}
        if preloaded:
            self._launcher.preload()
        self._changes.reload(applied | self._add_code(paths - settings, preloaded))

    def _is_setting(self, path: Path) -> bool:
        return path.parent == self._root and path.name in SETTINGS

    def _add_code(self, code: AbstractSet[Path], preloaded: AbstractSet[Path]) -> set[str]:
        """Record which programs the files concern; return their names."""
        gateways = {one.name for one in self.plan.programs if one.is_gateway}
        found: set[str] = set()
        for path in code:
            concerned = gateways if path in preloaded else self._owners.concerned([path])
            for name in concerned:
                self._saved.add(name, [path])
            found |= concerned
        return found

    def _apply(self, files: set[str]) -> set[str]:
        """Read the settings again; return the programs that they change."""
        if self._replan is None:
            return set()
        names = " and ".join(sorted(files))
        try:
            plan = self._replan()
        except (CannotRun, ConfigurationError) as error:
            self._view.failure("", f"{names} saved, but not applied: {error}")
            return set()
        before = {one.name: one for one in self.plan.programs}
        new = {one.name: one for one in plan.programs}
        if _ports(plan) != _ports(self.plan):
            self._view.note(f"{names} saved: stop and start again to apply it")
            everything = [*before.values(), *plan.programs, *plan.others]
            self._owners = Owners(everything, plan.environ)
            return set()
        self._owners = Owners([*plan.programs, *plan.others], plan.environ)
        self._launcher.environ = plan.environ
        is_all = plan.environ != self.plan.environ
        changed = {name for name, one in before.items() if is_all or one != new[name]}
        for name in changed:
            self._changes.all_managed[name].describe(new[name])
        self.plan = plan
        return changed


def _ports(plan: Planned) -> dict[str, int]:
    return {one.name: one.port.number for one in plan.programs}
