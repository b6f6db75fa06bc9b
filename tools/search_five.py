r"""Searches five times with other halves and seeds, and keeps the best.

    python -m tools.search_five --records=runs/lip/train \
        --validation_records=runs/lip/val --workdir=runs/lip/search_five

Sec. 4.2 repeats the search five times, divides the training set anew each time,
and keeps "the best performing architecture", without saying by what. The rule
here: each derived network is trained by one short schedule
(--train_flagfile, the same seed for all) and measured on the validation
records; the highest mean of mIoU and PCKh@0.5 wins, of equal ones the first.

Each search is two stages of tools.search with --seed=0 to 4, then tools.derive,
tools.train and tools.evaluate, all printed as they run. Stopped, the same
command goes on where it was. The folder gets selection.json (every score, and
the winner) and genotype.json (the winner's).
"""

from nppnet_tf.search_space import stages

from .command_line import app
from .command_line import paths
from .command_line.tool_flags import ToolFlags
from .roads import five_searches


def _check_search_flags(path: str, flag: str) -> None:
    """Refuses a folder that lacks the flag file of a stage."""
    paths.require_folder(path, flag)
    for stage in stages.NAMES:
        paths.require_file(five_searches.flag_file(path, stage), flag)


FLAGS = ToolFlags()

RECORDS = FLAGS.define_path(
    "records",
    None,
    "Folder of build_records to search and train on.",
    paths.require_records,
)
VALIDATION_RECORDS = FLAGS.define_path(
    "validation_records",
    None,
    "Folder of build_records to select by.",
    paths.require_records,
)
WORKDIR = FLAGS.define_output(
    "workdir",
    None,
    "Folder of all searches.",
    paths.require_new_folder,
)
SEARCHES = FLAGS.define_count("searches", 5, "Number of searches.", 1, 1000)
SEARCH_FLAGS = FLAGS.define_path(
    "search_flags",
    "flags/lip",
    "Folder with search_encoder_decoder.txt and search_interaction_fusion.txt.",
    _check_search_flags,
)
TRAIN_FLAGFILE = FLAGS.define_path(
    "train_flagfile",
    "flags/lip/train_candidate.txt",
    "Flag file of tools.train by which every candidate is trained.",
    paths.require_file,
)


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("records", "validation_records", "workdir"))


def _run(argv: list[str]) -> None:
    del argv
    folder = paths.new_folder(WORKDIR.value, "--workdir").absolute()
    searches = five_searches.Searches(
        folder,
        RECORDS.value,
        VALIDATION_RECORDS.value,
        SEARCH_FLAGS.value,
        TRAIN_FLAGFILE.value,
        SEARCHES.value,
    )
    searches.run()


if __name__ == "__main__":
    main()
