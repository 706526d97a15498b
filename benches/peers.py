#!/usr/bin/env python3
"""Times our optimizer steps beside PyTorch's on the CPU, as ratios.

Each pair is one measurement of ours and then one of the peer. The ratio of
their medians is taken pair by pair, so that a machine that slows down for a
while slows both sides of a pair. Any Python 3.11 or newer runs this file; the
peers run in a worker process with the interpreter of benches/.venv.
"""

import argparse
import contextlib
import gc
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
VENV_PYTHON = HERE / ".venv" / "bin" / "python"
BINARY = HERE.parent / "target" / "release" / "secant-dev"

# Steps before the clock starts. RAdam's first five steps take a shorter path,
# and the first step of every optimizer allocates its state.
WARMUP_STEPS = 10
# Timed steps of one measurement, by shapes.
ROUNDS = {"one-tensor": 30, "resnet-110": 200, "transformer": 40}
# A peer's measurement ends early after this many seconds of timed steps, which
# only a busy machine reaches.
LONGEST = 10.0
# SOAP that turns its bases in every step, where it does so in every tenth else,
# which a median leaves out.
SOAP_EVERY_STEP = "soap(precondition_frequency=1)"
# The peers of each of our methods, the closest rival first.
PEERS = {
    "adam": ["torch-adam-fused", "torch-adam-foreach", "torch-adam-loop"],
    "apollo": ["po-apollo-foreach", "po-apollo-loop"],
    "adabelief": ["po-adabelief-foreach", "po-adabelief-loop", "authors-adabelief"],
    "radam": [
        "torch-radam-foreach",
        "torch-radam-loop",
        "po-radam-foreach",
        "po-radam-loop",
    ],
    "muon": ["torch-muon", "torch-muon-f32"],
    "soap": ["po-soap"],
    SOAP_EVERY_STEP: ["po-soap-every-step"],
}
# The shapes of layer-wise methods; PyTorch's Muon takes no convolution kernels.
LAYER_SHAPES = {
    "muon": ["transformer"],
    "soap": ["resnet-110", "transformer"],
    SOAP_EVERY_STEP: ["resnet-110", "transformer"],
}


def fits(method, shapes):
    """Whether this method is measured on these shapes."""
    if method in LAYER_SHAPES:
        return shapes in LAYER_SHAPES[method]
    return shapes != "transformer"


def transformer():
    """Four transformer blocks of width 256; matrices as [in, out], as ours."""
    shapes = []
    for _block in range(4):
        shapes += [(256,), (256,), (256, 768), (768,), (256, 256), (256,)]
        shapes += [(256,), (256,), (256, 1024), (1024,), (1024, 256), (256,)]
    assert len(shapes) == 48
    assert sum(map(math.prod, shapes)) == 3_159_040
    return shapes


def resnet_110():
    """CIFAR ResNet-110 with shortcuts that hold no parameters."""
    shapes = [(16, 3, 3, 3)]
    width_in = 16
    for width in (16, 32, 64):
        for _block in range(18):
            for _conv in range(2):
                shapes += [(width, width_in, 3, 3), (width,), (width,)]
                width_in = width
    shapes += [(10, 64), (10,)]
    assert len(shapes) == 327
    assert sum(map(math.prod, shapes)) == 1_727_930
    return shapes


def shapes_named(name):
    match name:
        case "one-tensor":
            return [(10_000_000,)]
        case "resnet-110":
            return resnet_110()
        case "transformer":
            return transformer()
    raise ValueError(f"no shapes are named {name}")


# The worker: holds PyTorch, answers one JSON line for each JSON line it reads.


def polar_in_f32(grad, coefficients, steps, eps):
    """What Muon of PyTorch computes in bfloat16, in the gradient's own precision."""
    import torch

    a, b, c = coefficients
    is_tall = grad.size(0) > grad.size(1)
    x = grad.T if is_tall else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if is_tall else x


class Both:
    """Muon for matrices and Adam for vectors, as its authors use it."""

    def __init__(self, parameters, in_f32):
        from torch.optim import Adam, Muon, _muon

        self.context = (
            patch.object(_muon, "_zeropower_via_newtonschulz", polar_in_f32)
            if in_f32
            else contextlib.nullcontext()
        )
        matrices = [tensor for tensor in parameters if tensor.ndim == 2]
        vectors = [tensor for tensor in parameters if tensor.ndim != 2]
        self.parts = [Muon(matrices, weight_decay=0.0), Adam(vectors, fused=True)]

    def step(self):
        with self.context:
            for part in self.parts:
                part.step()


def optimizer_named(peer, parameters):
    """The optimizer that a peer's name stands for, without weight decay."""
    import adabelief_pytorch
    import pytorch_optimizer
    import torch

    optim, po = torch.optim, pytorch_optimizer
    match peer:
        case "torch-adam-fused":
            return optim.Adam(parameters, fused=True)
        case "torch-adam-foreach":
            return optim.Adam(parameters, foreach=True)
        case "torch-adam-loop":
            return optim.Adam(parameters, foreach=False, fused=False)
        case "torch-radam-foreach":
            return optim.RAdam(parameters, foreach=True)
        case "torch-radam-loop":
            return optim.RAdam(parameters, foreach=False)
        case "po-radam-foreach":
            return po.RAdam(parameters, foreach=True)
        case "po-radam-loop":
            return po.RAdam(parameters, foreach=False)
        case "po-adabelief-foreach":
            return po.AdaBelief(parameters, rectify=False, foreach=True)
        case "po-adabelief-loop":
            return po.AdaBelief(parameters, rectify=False, foreach=False)
        case "authors-adabelief":
            return adabelief_pytorch.AdaBelief(
                parameters,
                rectify=False,
                weight_decouple=False,
                print_change_log=False,
            )
        case "po-apollo-foreach":
            return po.ApolloDQN(parameters, foreach=True)
        case "po-apollo-loop":
            return po.ApolloDQN(parameters, foreach=False)
        case "torch-muon":
            return Both(parameters, in_f32=False)
        case "torch-muon-f32":
            return Both(parameters, in_f32=True)
        case "po-soap":
            return po.SOAP(parameters, weight_decay=0.0)
        case "po-soap-every-step":
            return po.SOAP(parameters, weight_decay=0.0, precondition_frequency=1)
    raise ValueError(f"no peer is named {peer}")


def measure(peer, shapes, rounds):
    """Seconds of each timed step, from new parameters, gradients and state."""
    import torch

    generator = torch.Generator().manual_seed(0)
    parameters = []
    for shape in shapes_named(shapes):
        value = torch.randn(shape, generator=generator) * 0.05
        parameter = torch.nn.Parameter(value)
        parameter.grad = torch.randn(shape, generator=generator) * 0.01
        parameters.append(parameter)
    optimizer = optimizer_named(peer, parameters)
    for _ in range(WARMUP_STEPS):
        optimizer.step()
    seconds = []
    while len(seconds) < rounds and sum(seconds) < LONGEST:
        start = time.perf_counter()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def worker(threads):
    # Some packages greet on standard output, which is for the answers here.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    import warnings

    warnings.simplefilter("ignore")
    import pytorch_optimizer  # noqa: F401  imported now, to fail early
    import torch

    torch.set_num_threads(threads)
    answer = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(answer), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        seconds = measure(request["peer"], request["shapes"], request["rounds"])
        gc.collect()
        answer = {"median_seconds": statistics.median(seconds)}
        print(json.dumps(answer), file=answers, flush=True)


# The comparison.


class Peers:
    """The worker process and the questions put to it."""

    def __init__(self, threads):
        command = [VENV_PYTHON, __file__, "--worker", "--threads", str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self.answer("The PyTorch worker did not start")

    def answer(self, failure):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"peers.py: {failure}; its own words are above.")
        return json.loads(line)

    def median_seconds(self, peer, shapes, rounds):
        request = {"peer": peer, "shapes": shapes, "rounds": rounds}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.answer(f"The PyTorch worker ended while it timed {peer}")
        return answer["median_seconds"]


def our_line(secant, method, shapes, rounds, guard):
    """The line that `secant-dev bench step` prints for one method and shapes."""
    command = [secant, "bench", "step", "--json", "--shapes", shapes]
    command += ["--methods", method, "--rounds", str(rounds)]
    if not guard:
        command.append("--no-guard")
    shown = " ".join(map(str, command))
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"peers.py: `{shown}` failed with status {done.returncode}.")
    for text in done.stdout.splitlines():
        try:
            line = json.loads(text)
            if (line["method"], line["shapes"], line["guard"]) == (
                method,
                shapes,
                guard,
            ):
                return {"median_seconds": float(line["median_seconds"])}
        except (ValueError, KeyError, TypeError):
            continue
    sys.exit(
        f"peers.py: `{shown}` printed no JSON line for {method} on {shapes} "
        f"with guard {'on' if guard else 'off'}."
    )


def spread(values):
    return {
        "min": min(values),
        "median": statistics.median(values),
        "max": max(values),
    }


def compare(options, peers, method, shapes, guard, peer):
    """One row: `pairs` measurements of ours and of the peer, in turn."""
    rounds = options.rounds or ROUNDS[shapes]
    ours, theirs = [], []
    for _ in range(options.pairs):
        if not options.peers_only:
            line = our_line(options.secant, method, shapes, rounds, guard)
            ours.append(line["median_seconds"])
        theirs.append(peers.median_seconds(peer, shapes, rounds))
    row = {"shapes": shapes, "method": method, "peer": peer}
    if not options.peers_only:
        ratios = [mine / other for mine, other in zip(ours, theirs)]
        row |= {"guard": guard, "ratio": spread(ratios)}
        row |= {"our_seconds": ours}
    row |= {"peer_seconds": theirs, "rounds": rounds}
    return row | {key: peers.about[key] for key in ("threads", "torch")}


def cells(row):
    """The table's columns for one row, by heading."""
    shown = {"shapes": row["shapes"], "method": row["method"]}
    if "ratio" in row:
        shown["guard"] = "on" if row["guard"] else "off"
    shown["peer"] = row["peer"]
    if "ratio" in row:
        shown["ours ms"] = f"{statistics.median(row['our_seconds']) * 1e3:.3f}"
        shown["peer ms"] = f"{statistics.median(row['peer_seconds']) * 1e3:.3f}"
        times = {name: f"{value:.3f}" for name, value in row["ratio"].items()}
        return shown | {f"ratio {name}": value for name, value in times.items()}
    times = spread(row["peer_seconds"])
    return shown | {f"ms {name}": f"{value * 1e3:.3f}" for name, value in times.items()}


def print_table(rows):
    table = [cells(row) for row in rows]
    widths = {
        heading: max(len(heading), *(len(line[heading]) for line in table))
        for heading in table[0]
    }
    print("  ".join(heading.ljust(width) for heading, width in widths.items()).rstrip())
    for line in table:
        aligned = [
            value.rjust(widths[heading])
            if value[0].isdigit()
            else value.ljust(widths[heading])
            for heading, value in line.items()
        ]
        print("  ".join(aligned).rstrip())


def names(text, known, what):
    chosen = text.split(",")
    for name in chosen:
        if name not in known:
            sys.exit(f"peers.py: {what} {name!r} is not one of {', '.join(known)}.")
    return chosen


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def all_cores():
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def parse():
    every_peer = [peer for group in PEERS.values() for peer in group]
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="peers: " + ", ".join(every_peer),
    )
    add = parser.add_argument
    add("--secant", type=Path, default=BINARY, metavar="PATH", help="our binary")
    add("--shapes", default=",".join(ROUNDS), help="default: %(default)s")
    add("--methods", default=",".join(PEERS), help="default: %(default)s")
    add("--peers", default=",".join(every_peer), help="default: all")
    add("--pairs", type=at_least_one, default=5, help="default: %(default)s")
    add("--rounds", type=at_least_one, help="steps per measurement; default: by shapes")
    add("--threads", type=at_least_one, help="for both sides; default: all cores")
    add("--guard", choices=["on", "off", "both"], default="on", help="default: on")
    add(
        "--no-guard",
        dest="guard",
        action="store_const",
        const="off",
        help="--guard off",
    )
    add("--peers-only", action="store_true", help="time the peers alone")
    add("--json", action="store_true", help="one JSON object per row")
    add("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.shapes = names(options.shapes, list(ROUNDS), "shapes")
    options.methods = names(options.methods, list(PEERS), "method")
    options.peers = names(options.peers, every_peer, "peer")
    return options


def main():
    options = parse()
    cores = all_cores()
    threads = options.threads or len(cores)
    if options.worker:
        return worker(threads)
    if not VENV_PYTHON.exists():
        sys.exit(
            "peers.py: benches/.venv is missing; run benches/setup-peers.sh first."
        )
    if not options.peers_only:
        if not options.secant.is_file():
            sys.exit(
                f"peers.py: there is no binary at {os.path.relpath(options.secant)}; "
                "run `cargo build --release` first, or name one with --secant."
            )
        options.secant = options.secant.resolve()
    if threads > len(cores):
        sys.exit(f"peers.py: {threads} threads asked for, {len(cores)} cores to use.")
    if threads < len(cores):
        # Both sides inherit this, and our thread pool is sized by it.
        if not hasattr(os, "sched_setaffinity"):
            sys.exit("peers.py: --threads below all cores works on Linux only.")
        os.sched_setaffinity(0, cores[:threads])
    os.environ["RAYON_NUM_THREADS"] = str(threads)

    guards = {"on": [True], "off": [False], "both": [True, False]}[options.guard]
    if options.peers_only:
        guards = [True]
    plan = [
        (method, shapes, guard, peer)
        for shapes in options.shapes
        for method in options.methods
        for guard in guards
        for peer in PEERS[method]
        if peer in options.peers and fits(method, shapes)
    ]
    if not plan:
        sys.exit(
            "peers.py: none of the chosen peers belongs to the chosen methods and "
            "shapes."
        )
    peers = Peers(threads)
    rows = []
    for number, (method, shapes, guard, peer) in enumerate(plan, 1):
        print(f"[{number}/{len(plan)}] {shapes} {method} {peer}", file=sys.stderr)
        rows.append(compare(options, peers, method, shapes, guard, peer))
        if options.json:
            print(json.dumps(rows[-1]), flush=True)
    if not options.json:
        print(
            f"torch {peers.about['torch']}, {threads} threads, {options.pairs} pairs; "
            + ("peers alone" if options.peers_only else "ratio = ours / peer")
        )
        print_table(rows)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("peers.py: stopped.")
