"""THE list of what cmlp promises: each promise with the tests that hold it, and what peers do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise: a sentence, how it is tested, by which tests, and the figures of peers if known."""

    says: str
    how: str
    tests: tuple[str, ...]  # "tests/python/test_saving.py::test_name"; a file alone means all of its tests
    peers: str = ""


PROMISES: dict[str, tuple[Promise, ...]] = {
    "Files": (
        Promise(
            "A damaged model file is refused, and cannot end or hang the process",
            "files mutated at random (bits, blocks, truncation, extreme numbers) are loaded",
            ("tests/python/test_mutated_files.py",),
            "of 1500 files: LightGBM (text) 1010 crashes, XGBoost (UBJSON) 169, ONNX Runtime 0",
        ),
        Promise(
            "Every change of a bit of a file is found",
            "each bit of a file is flipped in turn; the file is refused each time",
            ("tests/python/test_checksums.py::test_every_flipped_bit_of_a_file_is_refused",),
        ),
        Promise(
            "A file of every earlier format loads",
            "golden files: the bits of predictions, and of a fit that is resumed",
            (
                "tests/python/test_checksums.py::test_files_of_every_format_load",
                "tests/python/test_checksums.py::test_estimators_of_every_version_load",
                "tests/python/test_checksums.py::test_checkpoints_of_every_version_are_resumed",
            ),
        ),
        Promise(
            "Every model of the public interface is saved and read back, and no file runs code",
            "each class with a fit, and each module: predictions, parameters, and the bytes of a second file",
            ("tests/python/test_every_saved_model.py",),
        ),
        Promise(
            "A save that is killed or fails leaves the old file or the new one, complete",
            "SIGKILL at random instants of saves; each system call fails in turn with ENOSPC, EIO and EDQUOT;"
            " the order of the system calls is compared",
            ("tests/python/test_saving.py",),
            "killed over a good file: torch.save lost 38 of 40, joblib 39 of 40",
        ),
        Promise(
            "A fit that is cut short and resumed in another process has the bits of the uninterrupted one",
            "random networks, optimizers, schedulers, options and split points",
            (
                "tests/python/test_checkpoints.py::test_resumed_in_another_process",
                "tests/python/test_checkpoints.py::test_many_resumed_in_another_process",
                "tests/python/test_checkpoints.py::test_37_epochs_and_63_elsewhere_are_100",
                "tests/python/test_estimator_checkpoints.py::test_resumed_in_another_process",
            ),
        ),
        Promise(
            "A fit that is killed several times and resumed has the bits of the uninterrupted one",
            "SIGKILL at random instants of a process that trains with checkpoint= and resume=True",
            (
                "tests/python/test_checkpoints.py::test_killed_and_resumed",
                "tests/python/test_checkpoints.py::test_killed_often_and_resumed",
            ),
        ),
    ),
}
