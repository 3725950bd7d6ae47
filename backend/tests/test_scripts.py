"""The scripts that an operator runs, given what they should refuse: clear words, no change."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What records how it was called, in the place of programs that are not here.
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case " $REFUSES " in *" ${1:-nothing} "*) echo "$1 was refused" >&2; exit 3 ;; esac
[ "$1" != backup ] || touch "$2/mistudio-2026-01-01T000000.tar"
"""


class Checkout:
    """A copy of the scripts in a folder whose name holds what shells stumble over."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my 50% & more"
        self.home = folder / "data home"
        self.calls = folder / "calls"
        for name in ("scripts", "deploy"):
            shutil.copytree(ROOT / name, self.root / name)
        self.record(self.root / ".venv" / "bin" / "mistudio")
        self.programs = folder / "programs"
        for name in ("git", "docker", "systemctl", "sudo"):
            self.record(self.programs / name)
        self._keep_off_this_machine(folder)
        self.record(self.root / "scripts" / "bootstrap.sh")

    def _keep_off_this_machine(self, folder: Path) -> None:
        """A service and a swap file of the machine that runs the tests are none of theirs."""
        self.unit, self.swap_file = folder / "mistudio.service", folder / "mistudio.swap"
        library = self.root / "scripts" / "lib.sh"
        text = library.read_text()
        for real, ours in (
            ("/etc/systemd/system/mistudio.service", self.unit),
            ("/var/lib/mistudio.swap", self.swap_file),
        ):
            assert real in text
            text = text.replace(real, str(ours))
        library.write_text(text)

    def install_unit(self, root: Path) -> None:
        """As ``install_jetson.sh`` of the checkout at ``root`` does it."""
        folder = str(root).replace("%", "%%")
        home = str(self.home).replace("%", "%%")
        self.unit.write_text(
            f'WorkingDirectory={folder}\nEnvironment="MISTUDIO_HOME={home}"\n', encoding="utf-8"
        )
        self.swap_file.touch()

    def record(self, program: Path) -> None:
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(RECORDER)
        program.chmod(0o755)

    def run(
        self, script: str, *arguments: str, refuses: str = "", answer: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        self.calls.unlink(missing_ok=True)
        environment = os.environ | {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "CALLS": str(self.calls),
            "REFUSES": refuses,
            "MISTUDIO_HOME": str(self.home),
            **variables,
        }
        return subprocess.run(
            [self.root / "scripts" / script, *arguments],
            cwd=self.root.parent,
            env=environment,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,  # ends one that hangs
        )

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("backup.sh", ["/no/such/folder"], "no folder /no/such/folder"),
        ("backup.sh", ["--without-activation"], "Usage: backup.sh"),
        ("backup.sh", ["one", "two"], "Usage: backup.sh"),
        ("restore.sh", [], "Usage: restore.sh"),
        ("restore.sh", [""], "Usage: restore.sh"),
        ("restore.sh", ["/no/such.tar"], "no file /no/such.tar"),
        ("restore.sh", ["--force", "a.tar"], "Usage: restore.sh"),
        ("upgrade.sh", ["--help"], "Usage: upgrade.sh"),
        ("uninstall.sh", ["somewhere"], "Usage: uninstall.sh"),
        ("uninstall.sh", ["--containers"], "it has no .env"),
        ("install_jetson.sh", ["--swap"], "Usage: install_jetson.sh"),
        ("install_jetson.sh", ["--swap", "8GB"], "Usage: install_jetson.sh"),
        ("containers.sh", [], "Usage: containers.sh"),
        ("containers.sh", ["ups"], "Usage: containers.sh"),
        ("demo_containers.sh", ["--jetsons"], "Usage: demo_containers.sh"),
        ("slim_venv.sh", [], "Usage: slim_venv.sh"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_called(
    checkout: Checkout, script: str, arguments: list[str], words: str
) -> None:
    done = checkout.run(script, *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stdout + done.stderr
    assert checkout.called() == []


@pytest.mark.parametrize("script", ["backup.sh", "restore.sh", "upgrade.sh"])
def test_a_checkout_where_nothing_is_installed_says_so(checkout: Checkout, script: str) -> None:
    shutil.rmtree(checkout.root / ".venv")
    done = checkout.run(script, *([__file__] if script == "restore.sh" else []))
    assert done.returncode == 1
    assert "Nothing is installed here" in done.stderr


def test_a_backup_goes_where_it_is_wanted(checkout: Checkout, tmp_path: Path) -> None:
    folder = tmp_path / "my backups"
    folder.mkdir()
    assert checkout.run("backup.sh", str(folder), "--without-activations").returncode == 0
    assert checkout.called() == [f"mistudio backup {folder} --without-activations"]


def test_a_refused_restore_starts_again_what_ran(checkout: Checkout, tmp_path: Path) -> None:
    archive = tmp_path / "my backup.tar"
    archive.touch()
    done = checkout.run("restore.sh", str(archive), refuses="restore")
    assert done.returncode == 3
    assert checkout.called() == [
        "mistudio status",
        "mistudio down",
        f"mistudio restore {archive}",
        "mistudio up",
    ]


def test_a_restore_starts_what_did_not_run_and_a_refused_one_does_not(
    checkout: Checkout, tmp_path: Path
) -> None:
    archive = tmp_path / "backup.tar"
    archive.touch()
    assert checkout.run("restore.sh", str(archive), refuses="status").returncode == 0
    assert checkout.called()[-1] == "mistudio up"
    assert checkout.run("restore.sh", str(archive), refuses="status restore").returncode == 3
    assert checkout.called()[-1] == f"mistudio restore {archive}"


def test_an_upgrade_backs_up_before_the_code_changes(checkout: Checkout) -> None:
    done = checkout.run("upgrade.sh")
    assert done.returncode == 0, done.stderr
    folder = checkout.root / ".mistudio" / "backups"
    git = f"git -C {checkout.root}"
    assert checkout.called() == [
        f"{git} fetch --quiet",
        f"{git} merge-base --is-ancestor HEAD @{{upstream}}",
        "mistudio status",
        "mistudio down",
        f"mistudio backup {folder}",
        f"{git} merge --ff-only @{{upstream}}",
        "bootstrap.sh ",
        "mistudio migrate",
        "mistudio up",
    ]


def test_an_upgrade_that_cannot_follow_stops_nothing(checkout: Checkout) -> None:
    done = checkout.run("upgrade.sh", refuses="-C")
    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert all(call.startswith("git") for call in checkout.called())


def test_an_upgrade_without_a_backup_does_not_happen(checkout: Checkout) -> None:
    done = checkout.run("upgrade.sh", "--no-pull", refuses="backup")
    assert done.returncode == 1
    assert "Nothing was upgraded" in done.stderr
    assert checkout.called()[-1] == "mistudio up"
    assert "mistudio migrate" not in checkout.called()


def test_a_failed_upgrade_names_the_backup(checkout: Checkout) -> None:
    done = checkout.run("upgrade.sh", "--no-pull", refuses="migrate")
    assert done.returncode == 3
    assert "restore.sh" in done.stdout
    assert "mistudio-2026-01-01T000000.tar --replace" in done.stdout


def test_an_upgrade_whose_code_git_refuses_leaves_running_what_ran(checkout: Checkout) -> None:
    """A file that was changed here and there, say: git tells it only when it merges."""
    git = checkout.programs / "git"
    git.write_text(RECORDER + "case $* in *' merge --ff-only '*) exit 1 ;; esac\n")
    done = checkout.run("upgrade.sh")
    assert done.returncode == 1
    assert "Nothing was upgraded" in done.stderr
    assert checkout.called()[-1] == "mistudio up"


def test_the_home_of_the_service_is_read_as_systemd_reads_it(checkout: Checkout) -> None:
    checkout.home = checkout.home.with_name("50% full")
    checkout.install_unit(checkout.root)
    script = 'source scripts/lib.sh && use_home_of_service && echo "$MISTUDIO_HOME"'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=checkout.root,
        env=os.environ | {"MISTUDIO_HOME": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{checkout.home}\n"


def test_the_service_of_this_checkout_is_stopped_and_started(
    checkout: Checkout, tmp_path: Path
) -> None:
    (archive := tmp_path / "backup.tar").touch()
    checkout.install_unit(checkout.root)
    assert checkout.run("restore.sh", str(archive)).returncode == 0
    stop = "systemctl stop" if os.geteuid() == 0 else "sudo systemctl stop"
    assert f"{stop} mistudio.service" in checkout.called()


def test_the_service_of_another_checkout_is_left_alone(filled: Checkout, tmp_path: Path) -> None:
    (archive := tmp_path / "backup.tar").touch()
    filled.install_unit(tmp_path / "other")
    assert filled.run("restore.sh", str(archive)).returncode == 0
    assert not any("systemctl" in call for call in filled.called())
    done = filled.run("uninstall.sh", "--yes")
    assert done.returncode == 0
    assert "another checkout" in done.stdout
    assert filled.unit.exists()
    assert filled.swap_file.exists()
    assert not any("systemctl" in call for call in filled.called())


def test_the_service_of_another_checkout_is_not_replaced(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.install_unit(tmp_path / "other")
    done = checkout.run("install_jetson.sh")
    assert done.returncode == 1
    assert f"another checkout ({tmp_path / 'other'})" in done.stderr
    assert checkout.called() == []
    assert checkout.run("install_jetson.sh", "--no-service").returncode == 0


@pytest.fixture
def filled(checkout: Checkout) -> Checkout:
    for name in ("data/models", "postgres", "logs", "run", "valkey"):
        (checkout.home / name).mkdir(parents=True)
    (checkout.home / "photos").mkdir()
    return checkout


def test_nothing_is_removed_without_a_yes(filled: Checkout) -> None:
    for answer in ("", "y\n", "no\n"):
        done = filled.run("uninstall.sh", answer=answer)
        assert done.returncode == 1
        assert "Nothing was removed" in done.stderr
    assert (filled.home / "data" / "models").exists()
    assert filled.called() == []


def test_uninstalling_lists_and_removes_what_it_made_and_nothing_else(filled: Checkout) -> None:
    done = filled.run("uninstall.sh", answer="yes\n")
    assert done.returncode == 0, done.stderr
    assert str(filled.home / "postgres") in done.stdout
    assert [path.name for path in filled.home.iterdir()] == ["photos"]
    assert not (filled.root / ".venv").exists()
    assert (filled.root / "scripts").exists()


def test_uninstalling_takes_the_service_and_the_home_that_it_names(filled: Checkout) -> None:
    filled.install_unit(filled.root)
    done = filled.run("uninstall.sh", "--yes", MISTUDIO_HOME="")
    assert done.returncode == 0, done.stderr
    assert "systemctl disable --now mistudio.service" in " ".join(filled.called())
    assert not (filled.home / "data").exists()


def test_uninstalling_looks_for_the_home_where_the_product_has_it(
    filled: Checkout, tmp_path: Path
) -> None:
    """``XDG_DATA_HOME`` moves nothing of the product's."""
    home = tmp_path / ".local" / "share" / "mistudio"
    (home / "data").mkdir(parents=True)
    variables = {"MISTUDIO_HOME": "", "HOME": str(tmp_path), "XDG_DATA_HOME": "/elsewhere"}
    done = filled.run("uninstall.sh", "--yes", **variables)
    assert done.returncode == 0, done.stderr
    assert not home.exists()


def test_uninstalling_can_keep_the_data(filled: Checkout) -> None:
    assert filled.run("uninstall.sh", "--keep-data", "--yes").returncode == 0
    assert (filled.home / "data" / "models").exists()
    assert not (filled.root / ".venv").exists()


def test_the_unit_holds_any_folder(checkout: Checkout) -> None:
    """systemd wants quotes around blanks and a doubled percent sign."""
    script = 'source scripts/lib.sh && write_unit me "/home/a & b/50%"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout.root, capture_output=True, text=True, check=True
    )
    folder = str(checkout.root).replace("%", "%%")
    assert f'ExecStart="{folder}/.venv/bin/mistudio" up --foreground' in done.stdout
    assert f"WorkingDirectory={folder}\n" in done.stdout
    assert 'Environment="MISTUDIO_HOME=/home/a & b/50%%"' in done.stdout
    assert "@" not in done.stdout
