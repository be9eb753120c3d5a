import shutil
import subprocess

import pytest
from click.shell_completion import BashComplete
from yard.client.cli import main

from libs.client.tests.command import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_ask_the_command_itself(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_FRAMEYARD_COMPLETE={shell}_complete" in result.stdout


def test_the_script_is_right_for_bash(run: Run) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n"], input=run("completion", "bash").stdout, text=True, check=True)


@pytest.mark.parametrize(
    ("before", "begun", "found"),
    [
        ([], "ta", {"task"}),
        (["task"], "a", {"attach"}),
        (["task", "create", "x"], "--over", {"--overlap"}),
        (["job", "update", "5", "--stage"], "v", {"validation"}),
        (["completion"], "", {"bash", "zsh", "fish"}),
    ],
)
def test_words_complete(before: list[str], begun: str, found: set[str]) -> None:
    completion = BashComplete(main, {}, "frameyard", "_FRAMEYARD_COMPLETE")
    assert {item.value for item in completion.get_completions(before, begun)} == found
