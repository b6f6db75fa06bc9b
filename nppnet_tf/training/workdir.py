"""The folder of one run: what lies where, and whose it is."""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import folder_lock
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files

FORMAT = "nppnet_tf.run"
FORMAT_VERSION = 1

# Follow from the genotype, which is compared by its digest; a run that Python
# began has none of them.
_IN_THE_GENOTYPE = {"encoder_decoder", "fusion", "interaction", "stage"}

# Of a setting that a record holds only where it is another.
_UNSAID = "the default"

# In the record of the last epoch, where a rule has ended the run with it.
ENDED_BECAUSE = "ended_because"


class Workdir:
    """Names the files of a run and keeps two runs from mixing.

    Args:
        path: Path of the folder; made by `claim`.

    Attributes:
        flags_file: The flags of the run, usable as `--flagfile`.
        genotype_file: The latest derived genotype.
        genotypes: Folder with the genotype of every epoch.
        checkpoints: Folder with the last and the best state.
        tensorboard: Folder of event files.
        metrics_file: One JSON object per line and epoch.
        report_file: Page of the run, for who draws one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.flags_file = self.path / "flags.txt"
        self.genotype_file = self.path / "genotype.json"
        self.genotypes = self.path / "genotypes"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.metrics_file = self.path / "metrics.jsonl"
        self.report_file = self.path / "report.html"
        self._run_file = self.path / "run.json"

    def claim(
        self, tool: str, settings: Mapping[str, object], flags_text: str
    ) -> None:
        """Makes the folder this run's, or checks that it is.

        Args:
            tool: Name of the tool that runs.
            settings: What makes another run of it, by the name of its flag;
                values that JSON can hold.
            flags_text: Text of `flags_file`, which is not written where it is
                empty; that of the latest start is kept.

        Raises:
            UserError: If the folder holds another run or something else.
        """
        document = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "tool": tool,
            # As JSON reads it back: tuples become lists.
            "settings": json.loads(json.dumps(dict(settings))),
        }
        if self._run_file.exists():
            # What has saved nothing yet may start again as another run.
            is_drawn = tool == "search" and self.genotype_file.exists()
            if self.checkpoints.exists() or is_drawn:
                self._check(document)
        else:
            self._require_nothing_else()
        self.path.mkdir(parents=True, exist_ok=True)
        # Of processes that were killed.
        atomic.sweep(self.path)
        text = json.dumps(document, indent=2, sort_keys=True)
        atomic.write_text(self._run_file, f"{text}\n", durable=True)
        if flags_text:
            atomic.write_text(self.flags_file, flags_text)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Makes the folder and keeps other processes out of it.

        A new run that is refused before it has saved anything leaves nothing
        behind.

        Raises:
            UserError: Another process runs in it, or it holds something else.
        """
        is_new = not self._run_file.exists()
        if is_new:
            self._require_nothing_else()
        places = (self.path, *self.path.parents)
        made = [folder for folder in places if not folder.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        with folder_lock.hold(self.path, f"`workdir`={self.path}"):
            try:
                yield
            except UserError:
                if is_new:
                    self._leave(made)
                raise

    def records(self) -> list[dict]:
        """Returns the records of the epochs, up to one that is damaged.

        The checkpoint holds them all; what goes on from it writes them anew.
        """
        if not self.metrics_file.exists():
            return []
        found = []
        for line in text_files.read(self.metrics_file).splitlines():
            try:
                found.append(
                    json_documents.require(
                        json_documents.parse(line, self.metrics_file),
                        "an object",
                        self.metrics_file,
                        "record",
                    )
                )
            except UserError:
                break
        return found

    def completed_epochs(self) -> int:
        """Returns how many epochs `metrics_file` tells of."""
        return len(self.records())

    def settings(self) -> dict[str, object]:
        """Returns the settings that the run was claimed with.

        Raises:
            UserError: If the folder holds no run, or it cannot be read.
        """
        return self._read()["settings"]

    def ended_because(self) -> str:
        """Returns why a rule has ended the run early, "" where none has."""
        records = self.records()
        return str(records[-1].get(ENDED_BECAUSE, "")) if records else ""

    def _leave(self, made: Sequence[pathlib.Path]) -> None:
        """Takes away what claims a folder, and folders that were made for it.

        Args:
            made: These, the innermost first.
        """
        lock = self.path / folder_lock.LOCK_NAME
        claims = {lock, self._run_file, self.flags_file}
        found = set(self.path.iterdir())
        if found <= claims:
            for path in found:
                path.unlink()
        for folder in made:
            # Others may use it.
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _require_nothing_else(self) -> None:
        names = set()
        if self.path.exists():
            names = {path.name for path in self.path.iterdir()}
        if names - {folder_lock.LOCK_NAME}:
            raise UserError(
                "folder is not empty and not a run",
                f"`workdir`={self.path}",
                "a new folder, or that of a run",
                f"a folder without {self._run_file.name}",
            )

    def _read(self) -> dict:
        path = self._run_file
        document = json_documents.read_document(path, FORMAT, FORMAT_VERSION)
        json_documents.require(document.get("tool"), "a text", path, "tool")
        json_documents.require(
            document.get("settings"), "an object", path, "settings"
        )
        return document

    def _check(self, document: Mapping) -> None:
        there = self._read()
        if there["tool"] != document["tool"]:
            raise UserError(
                "workdir of another run",
                f"`workdir`={self.path}",
                f"a run of {document['tool']}",
                f"one of {there['tool']}",
            )
        ours, theirs = document["settings"], there["settings"]
        names = set(ours) | set(theirs)
        names -= _IN_THE_GENOTYPE - (set(ours) & set(theirs))
        for name in sorted(names):
            if ours.get(name) != theirs.get(name):
                raise UserError(
                    "workdir of another run",
                    f"`{name}`, `workdir`={self.path}",
                    _short(theirs.get(name, _UNSAID)),
                    _short(ours.get(name, _UNSAID)),
                )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
