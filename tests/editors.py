"""What editors find in the tree: how each file is compiled, and a debugger behind one key."""
import json
import shutil
import tempfile
from pathlib import Path

from driver import ROOT, Skipped, call, check, test


def commands() -> list[dict]:
    """What compile_commands.json would have."""
    return json.loads(call(["sh", "-c", "make -Bn all 2>/dev/null | tools/compdb"]).stdout)


@test
def editors_know_how_each_file_is_compiled() -> None:
    known = {entry["file"] for entry in commands()}
    for path in [*(ROOT / "kernel").rglob("*.c"), *(ROOT / "user/bin").glob("*.c"), *(ROOT / "user/ulib").rglob("*.c")]:
        check(str(path.relative_to(ROOT)) in known, f"{path}: no command")


@test
def clangd_understands_kernel_and_programs() -> None:
    if shutil.which("clangd") is None:
        raise Skipped("no clangd here")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "compile_commands.json").write_text(json.dumps(commands()))
        for file in ("kernel/sched/core.c", "user/bin/cat.c", "user/ulib/co/loop.c"):
            result = call(["clangd", f"--compile-commands-dir={directory}", f"--check={file}"])
            check(result.returncode == 0 and "completed, 0 errors" in result.stderr, result.stderr[-2000:])


@test
def the_editor_s_debugger_stops_at_a_switch() -> None:
    """VS Code gives these lines to gdb's machine interface; each file is JSON without comments."""
    if shutil.which("gdb") is None:
        raise Skipped("no gdb here: tools/setup test")
    launch, tasks = (json.loads((ROOT / ".vscode" / name).read_text()) for name in ("launch.json", "tasks.json"))
    configuration = launch["configurations"][0]
    check(configuration["preLaunchTask"] in {task["label"] for task in tasks["tasks"]}, "no such task")
    for task in tasks["tasks"]:
        check(call(["sh", "-c", task["command"].replace("make", "make -n", 1)]).returncode == 0, task["command"])
    lines = [command["text"] for command in configuration["customLaunchSetupCommands"]]
    text = call(["gdb", "-nx", "--interpreter=mi2"], "\n".join([*lines, "-stack-list-frames 0 0", "-gdb-exit", ""])).stdout
    check("thread switch on CPU 0" in text and 'func="switch_end"' in text and "^error" not in text, text)
