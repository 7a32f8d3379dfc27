"""Folders and files from strangers: nothing runs, nothing else is read, nothing stalls."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.files import probe, provenance, seals, sizes
from adaptnet.files.paths import working_folder

# Files of a few bytes by other software that refer to outside.bin or outside.nc, for HDF5's oldest
# and its newest format.
FILES = {
    "external storage, earliest": (
        "c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvfCNrV(Ve$zK_<_HNOAr&!112RfkC_q8SaiU}!~j;pCJG`MSzyL6"
        "RaJSz^!76hK4AWn={F+-8^rNYhcYrqKxjsY00&epjAjP1Kr+IN5G|}wJ`)oYSOYtQ2AB`Qj119CsQMYu"
        "%;SLC$IJ)|O>~tRbPW>^SH}PlEx`Z_4+yAcLRFVvT2h>ulB$=KnFr<r0Ji5qr2"
    ),
    "external storage, latest": (
        "c-rgqaB<`1lHy|K;9!7(|4?Ae1mPP%#oJEYjrI3%31Z^e!lVQiVP-_rf)2Qt7{E%{L_s7Y3(N|ps;c)e"
        "b}|EffUVu}B(U=t85kKwfNo%9WQ2JdMl*9TFbV@*401Fp(Cy4z>>5DTAh!eIZ$?zr3~0JJgg`+8^E+JC"
        "1cpHez6)r~^>B3z0I?;YVz9WBW<ph)Us_U}nUboPl$i(S0{~AUJ*f"
    ),
    "external link, earliest": (
        "c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvfyctpXF!=-q{J`JCC5VaV0h1D#$IOUkEIQy~VgM^)lLwKEJPt5("
        "n5wGy85r_QONuj7QuXqZ8T2a{7+M(y3s9fB`zrvbxHXy"
    ),
    "external link, latest": (
        "c-rgqaB<`1lHy|K;9!7(|4{HA$~S=0#-?(8{vIwtOgvkdl)xg)jA&ZW0T&YkSP7dvh-Bn(fZ4%RRmIQ1"
        "kY8F-oSBlUmzT_-U%|i-$v{hx$0m^q0P+?sMF"
    ),
    "virtual dataset, earliest": (
        "c-rgqaB<`1lHy_j0S*oZ76t(ZWbhvf7$ng6P>{fYANYH?1TpbEU{V6}m>JQGMF(6=3}7W}q9Bry1!fFW"
        "Rh2hPZ$HD}1Li-Oels$#K^zZtC?hn?7#Se~FwekfW}rMsMo__?fdee!z+l47VDg_CBF_pG1<5lpGl31@"
        "fJO}qGgLX$A|WUj#Iv5kp3T6}z%U9%!6+C7qhJ)^1@6xNKHzFZ0J%zGVDN$|fC=Q6mK0~Er0V4*GgL4z"
        "BT0a(XC%G=l+6gQ<`@`Sj2p^P?VZ3s8up`L6pVsVFbYP&C>RB!U=)mkQ7{Td0lfeK0s%d2"
    ),
    "virtual dataset, latest": (
        "c-rgqaB<`1lHy|K;9!7(|4_gn0pS}!#T`34+5J6Sf|z)=Fe!mWm>JQupaU)@2Cxz~Q4q<<0<(gts_H$A"
        "oy<TVU~6|g3G94D>ly6X$e4kVQ3U8FMn<>;VKlP{1EZjVJp&|g92iWv8BG2&Gcd3M{l(19!3R{y43&g<"
        "bPL0f1oQtYb}@{CQ7{Td!6+Cxz}?y32V8LpAXQ@Es*V9wAiuPvI5Q<xFE5#)f`J)H0$iPgs!EU;6C+d;"
        "Bd`kf6evCeQ?Y=5G^|I#C>RB!U=)mkQ7{Td!6+C7qhJ(_f`I}6B;Y-z"
    ),
}


@pytest.fixture
def run():
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    return an.simulate(an.DirectCircuit(learning_rate=1e-3), inputs, rng=0)


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("kind", FILES)
def test_files_that_refer_to_others(tmp_path, monkeypatch, kind, sealed):
    monkeypatch.chdir(tmp_path)
    path = Path("run.nc")
    path.write_bytes(zlib.decompress(base64.b85decode(FILES[kind])))
    Path("outside.bin").write_bytes(b"password")
    os.mkfifo("outside.nc")  # who opened it would wait for ever
    if sealed:
        seals.seal(path)
    with pytest.raises(ValueError, match="refers to other files"):
        an.load(path)


def test_no_run_seems_to_refer_to_others(tmp_path, run):
    for name, dataset in {"small": run, "many": run.isel(sample=np.arange(2_000) % 41)}.items():
        for index in range(30):
            dataset[f"further_{index}"] = xr.Variable("further", np.arange(4.0), {"long_name": "x"})
        path = tmp_path / f"{name}.nc"
        dataset.to_netcdf(path)
        an.load(path)


STAND_IN = """
from pathlib import Path
Path({!r}).write_text("ran")
"""


def test_a_module_in_the_current_folder_is_not_imported(tmp_path, run):
    run.to_netcdf(tmp_path / "run.nc")
    ran = tmp_path / "ran"
    for name in ("netCDF4", "numpy", "cftime", "resource", "json"):
        (tmp_path / f"{name}.py").write_text(STAND_IN.format(str(ran)))
    program = "import sys; sys.path = [p for p in sys.path if p]; import adaptnet; "
    program += "adaptnet.load('run.nc')"
    command = [sys.executable, "-P", "-c", program]
    environment = os.environ | {"PYTHONPATH": str(Path(an.__file__).parents[1])}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert not ran.exists()


def repository(folder, head="ref: refs/heads/main", commit="0123456789abcdef" * 2 + "01234567"):
    git = folder / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text(f"{head}\n")
    (git / "refs" / "heads" / "main").write_text(f"{commit}\n")
    return git, commit


def test_a_repository_runs_nothing(tmp_path, monkeypatch, run):
    git, commit = repository(tmp_path)
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    (git / "config").write_text(
        f"[core]\n repositoryformatversion = 0\n fsmonitor = {program}\n"
        f'[filter "x"]\n clean = {program}\n smudge = {program}\n'
    )
    (tmp_path / ".gitattributes").write_text("* filter=x\n")
    monkeypatch.chdir(tmp_path)
    provenance.git_commit.cache_clear()
    assert provenance.provenance(np.random.SeedSequence(0))["git_commit"] == commit
    assert not ran.exists()
    assert not (git / "index.lock").exists()


def test_commits_of_packed_references_detached_heads_and_work_trees(tmp_path):
    git, commit = repository(tmp_path / "packed")
    (git / "refs" / "heads" / "main").unlink()
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{commit} refs/heads/main\n")
    assert provenance.git_commit(tmp_path / "packed" / "inner") == commit
    repository(tmp_path / "detached", head=commit)
    assert provenance.git_commit(tmp_path / "detached") == commit
    tree = tmp_path / "tree"
    inside = git / "worktrees" / "tree"
    inside.mkdir(parents=True)
    (inside / "HEAD").write_text("ref: refs/heads/main\n")
    (inside / "commondir").write_text("../..\n")
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {inside}\n")
    assert provenance.git_commit(tree) == commit


@pytest.mark.parametrize(
    "head", ["", "ref: refs/heads/none", "ref: ../../secret", "ref: HEAD", "text", "\udc80"]
)
def test_odd_repositories_have_no_commit(tmp_path, head):
    (tmp_path / "secret").write_text("0" * 40)
    git, _ = repository(tmp_path / "inner")
    (git / "HEAD").write_bytes(head.encode(errors="surrogateescape"))
    assert provenance.git_commit(tmp_path / "inner") is None


def test_texts_written_by_other_software(tmp_path, run):
    """Such texts are of any length in HDF5, which once ended the process that read them twice."""
    run["note"] = "hello"
    run["notes"] = ("sample", np.array(["ä", "bc"] * 20 + ["d"], dtype=object))
    run.attrs["author"] = "Ä"
    path = tmp_path / "run.nc"
    run.to_netcdf(path)
    for _ in range(3):
        loaded = an.load(path)
        assert loaded["note"].item() == "hello"
        assert loaded["notes"].values.tolist() == run["notes"].values.tolist()
    seals.seal(path)
    assert an.load(path).attrs["author"] == "Ä"


def test_a_program_that_loops_is_ended(tmp_path, monkeypatch, run):
    """The stand-in is a probe that loops as HDF5 does on some damaged files."""
    run.to_netcdf(tmp_path / "run.nc")
    monkeypatch.setattr(probe, "_PROGRAM", probe._PROGRAM + "\nwhile True: pass\n")
    monkeypatch.setattr(probe, "_CPU_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(ValueError, match="cannot be read"):
        an.load(tmp_path / "run.nc")
    assert time.monotonic() - began < 60  # it would be for ever


def test_a_file_that_ends_the_program_is_refused(tmp_path, monkeypatch, run):
    path = tmp_path / "run.nc"
    run.to_netcdf(path)
    seals.seal(path)
    kill = f"\nimport os; os.kill(os.getpid(), {int(signal.SIGSEGV)})\n"
    monkeypatch.setattr(probe, "_PROGRAM", kill)
    with pytest.raises(ValueError, match=r"cannot be read.*signal 11"):
        an.load(path)


def test_sizes_are_judged_before_anything_is_read(tmp_path, run):
    """A variable that was never written takes no space in a file, and all of it in memory."""
    path = tmp_path / "run.nc"
    run.to_netcdf(path)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("huge", 2**40)
        file.createVariable("empty", "f8", ("huge",), chunksizes=(1000,))
    seals.seal(path)
    with pytest.raises(MemoryError, match="TB"):
        an.load(path)


def test_limits_of_the_process_count_as_memory():
    program = (
        "import resource, numpy; from adaptnet.files.sizes import available_memory as a;"
        "b = a(); resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33)); print(b, a())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    _, limited = map(int, ended.stdout.split())
    assert 0 < limited < 2**33


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_control_groups_count_as_memory(tmp_path, monkeypatch, version):
    groups, proc = tmp_path / "cgroup", tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    root = groups if version == 2 else groups / "memory"
    inner = root / "job" / "step"
    inner.mkdir(parents=True)
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        2: ("memory.max", "memory.current"),
    }
    limit, usage = names[version]
    line = "0::/job/step\n" if version == 2 else "7:cpu:/x\n4:memory:/job/step\n"
    (proc / "self" / "cgroup").write_text(line)
    (inner / limit).write_text("max\n")
    (inner / usage).write_text("500\n")
    (inner.parent / limit).write_text("3000\n")
    (inner.parent / usage).write_text("1500\n")
    (inner.parent / "memory.stat").write_text("anon 900\ninactive_file 400\n")
    monkeypatch.setattr(sizes, "_CGROUPS", groups)
    monkeypatch.setattr(sizes, "_PROC", proc)
    assert sizes.available_memory() == 1900


def test_a_pipe_as_a_run(tmp_path):
    os.mkfifo(tmp_path / "run.nc")
    with pytest.raises(FileNotFoundError, match="is not a file"):
        an.load(tmp_path / "run.nc")


def test_a_description_that_names_arrays_which_are_not_there(tmp_path):
    folder = working_folder(tmp_path / "run.nc")
    folder.mkdir()
    head = {"n_replicates": 1, "arrays": {"a": ["<f8", [2**40]]}}
    seals.replace(folder / "run", json.dumps(head).encode() + b"\n12345678")
    with pytest.raises(FileExistsError, match="damaged"):
        an.simulate(an.DirectCircuit(), np.ones((5, 2)), path=tmp_path / "run.nc", rng=0)


@pytest.mark.parametrize("rest", [b"", b"\x00", b"rubbish", b"\xff" * 100])
def test_a_file_with_damaged_first_bytes_is_not_said_to_refer_to_others(tmp_path, rest):
    path = tmp_path / "run.nc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + rest)
    with pytest.raises(ValueError, match="first bytes are damaged or of an unknown layout"):
        an.load(path)
