#!/usr/bin/env python3
"""Runs L-BFGS of SciPy, PyTorch and ours on logistic regression from a file.

    f(w) = mean_i log(1 + exp(-y_i x_i.w)) + (l2 / 2) |w|^2,   no bias, w = 0 at first

An evaluation is one call of the objective, which gives the value and the
gradient together; the one at w = 0 counts, and so do those inside a line search.
Each program ends at its first evaluation whose gradient 2-norm is at most
TOLERANCE times the one at w = 0: the objective raises an exception there, and
the programs' own stopping rules are off. Iterations are line searches begun.

Seconds run from w = 0 to that exception. Reading the file, building matrices
and the labels' product into them happen before. The runs of all programs take
turns: one round to warm up, then --runs timed ones; the median is printed.

PyTorch drops a curvature pair whose y.s is below 1e-10, which no setting
changes. With a mean as the objective that happens near the optimum, so one row
gives PyTorch f times the number of rows; its record still shows f itself.

The counts of hard files hang on rounding. --jitter K runs every program K more
times, untimed, with l2 times 1 + k 1e-10 for k = 1 to K, and prints the counts.
"""

import argparse
import copy
import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV_PYTHON = HERE / ".venv" / "bin" / "python"
# The same algorithm and data as the rows by hand, with slower evaluations.
AUTOGRAD = {"torch LBFGS, dense", "torch LBFGS, CSR"}


class Reached(Exception):
    """The gradient is small enough."""


class Record:
    """Counts the evaluations of one run and ends it at the tolerance."""

    def __init__(self, tolerance):
        self.tolerance = tolerance
        self.evaluations = 0
        self.iterations = 0
        self.first_norm = self.norm = self.f = self.start_f = math.nan

    def see(self, f, norm):
        self.evaluations += 1
        if self.evaluations == 1:
            self.first_norm, self.start_f = norm, f
        self.f, self.norm = f, norm
        if norm <= self.tolerance * self.first_norm:
            raise Reached


def read_libsvm(path):
    """The rows as CSR and the labels as -1 and +1; a .gz file is unpacked."""
    import numpy as np
    from scipy import sparse

    labels, starts, columns, values = [], [0], [], []
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as lines:
        for line in lines:
            fields = line.split("#", 1)[0].split()
            if not fields:
                continue
            labels.append(float(fields[0]))
            for field in fields[1:]:
                column, value = field.split(":")
                columns.append(int(column))
                values.append(float(value))
            starts.append(len(columns))
    kinds = sorted(set(labels))
    if len(kinds) != 2:
        sys.exit(f"minimize_peers.py: {path} has {len(kinds)} labels, not 2.")
    columns = np.array(columns, dtype=np.int32)
    columns -= 0 if columns.min() == 0 else 1
    shape = (len(labels), int(columns.max()) + 1)
    rows = sparse.csr_matrix((np.array(values), columns, np.array(starts)), shape=shape)
    return rows, np.where(np.array(labels) == kinds[1], 1.0, -1.0)


def signed(rows, labels):
    """The rows times their labels, so that the margins are signed(..) @ w."""
    from scipy import sparse

    return sparse.csr_matrix(sparse.diags(labels) @ rows)


def numpy_objective(matrix, l2):
    """The value and gradient at w; the matrix is CSR or dense."""
    import numpy as np

    transposed = matrix.T
    count = matrix.shape[0]

    def objective(w):
        margins = matrix @ w
        small = np.exp(-np.abs(margins))
        losses = np.log1p(small) - np.minimum(margins, 0)
        # d loss / d margin = -1 / (1 + exp(margin))
        slopes = np.where(margins >= 0, small, 1) / (-count * (1 + small))
        f = losses.mean() + 0.5 * l2 * (w @ w)
        return float(f), transposed @ slopes + l2 * w

    return objective


def run_scipy(case, options):
    import numpy as np
    from scipy.optimize import minimize

    record = Record(options.tolerance)
    start = np.zeros(case.matrix.shape[1], dtype=case.matrix.dtype)

    def objective(w):
        f, gradient = case.objective(w.astype(start.dtype, copy=False))
        record.see(f, float(np.linalg.norm(gradient)))
        return f, gradient.astype(np.float64, copy=False)

    def iterated(_w):
        record.iterations += 1

    limits = {"maxiter": 10**6, "maxfun": 10**6, "ftol": 0, "gtol": 0}
    limits["maxcor"] = options.memory
    begin = time.perf_counter()
    try:
        minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=iterated,
            options=limits,
        )
        ended = False
    except Reached:
        # The search that met the tolerance has no callback.
        record.iterations += record.evaluations > 1
        ended = True
    return record, time.perf_counter() - begin, ended


def run_torch(case, options, matrix, by_hand, scale=1):
    import torch
    from torch.nn.functional import logsigmoid

    record = Record(options.tolerance)
    count, width = matrix.shape
    l2 = case.l2
    w = torch.zeros(width, dtype=matrix.dtype, requires_grad=True)

    def automatic():
        w.grad = None
        loss = -logsigmoid(matrix @ w).mean() + 0.5 * l2 * w.dot(w)
        loss.backward()
        record.see(loss.item(), w.grad.norm().item())
        return loss

    @torch.no_grad()
    def written():
        margins = matrix @ w
        loss = -logsigmoid(margins).mean() + 0.5 * l2 * w.dot(w)
        slopes = torch.sigmoid(margins.neg_()).div_(-count)
        gradient = (case.transposed @ slopes).add_(w, alpha=l2)
        record.see(loss.item(), gradient.norm().item())
        w.grad = gradient.mul_(scale)
        return loss * scale

    begin = time.perf_counter()
    # One step holds the whole run: a second would evaluate its start again.
    optimizer = torch.optim.LBFGS(
        [w],
        lr=1,
        max_iter=10**6,
        max_eval=10**6,
        tolerance_grad=0,
        tolerance_change=0,
        history_size=options.memory,
        line_search_fn="strong_wolfe",
    )
    try:
        optimizer.step(written if by_hand else automatic)
        ended = False
    except Reached:
        ended = True
    seconds = time.perf_counter() - begin
    record.iterations = optimizer.state[w]["n_iter"]
    return record, seconds, ended


def run_secant(case, options):
    """Ours, in a new process; it reads the file and keeps its own clock."""
    command = [str(options.secant), "minimize", "logistic"]
    command += ["--libsvm", str(options.file), "--l2", case.l2_option]
    command += ["--method", "l-bfgs", "--tolerance", repr(options.tolerance)]
    if options.memory != 10:
        command += ["--memory", str(options.memory)]
    if options.precision != "f64":
        command += ["--precision", options.precision]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"minimize_peers.py: {' '.join(command)} failed:\n{done.stderr}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    record = Record(options.tolerance)
    record.evaluations = told["evaluations"]
    record.iterations = told.get("iterations", "")
    record.first_norm, record.norm = 1.0, told["relative_gradient_norm"]
    record.f = told.get("f", told.get("value", math.nan))
    return record, told["seconds"], record.norm <= options.tolerance


class Case:
    """The problem in every form that a program reads."""

    def __init__(self, options):
        import numpy as np
        import torch

        self.rows, self.labels = read_libsvm(options.file)
        self.l2 = 1 / self.rows.shape[0] if options.l2 == "auto" else float(options.l2)
        self.l2_option = options.l2
        exact = signed(self.rows, self.labels)
        self.exact = numpy_objective(exact, self.l2)
        self.exact_matrix = exact
        self.matrix = exact.astype(np.dtype("f8" if options.precision == "f64" else "f4"))
        self.objective = numpy_objective(self.matrix, self.l2)
        self.dense = torch.from_numpy(self.matrix.toarray())
        self.sparse = torch_csr(self.matrix)
        self.transposed = torch_csr(self.matrix.T.tocsr())

    def jittered(self, number):
        """The same with a barely different l2."""
        other = copy.copy(self)
        other.l2 = self.l2 * (1 + number * 1e-10)
        other.l2_option = repr(other.l2)
        other.objective = numpy_objective(self.matrix, other.l2)
        return other


def torch_csr(matrix):
    import torch

    parts = [torch.from_numpy(p) for p in (matrix.indptr, matrix.indices, matrix.data)]
    return torch.sparse_csr_tensor(*parts, size=matrix.shape)


def check_gradient(case):
    """The largest relative error of the gradient beside central differences.

    Uses at most 500 rows and a dense sum written anew from the definition.
    """
    import numpy as np

    random = np.random.default_rng(0)
    count = min(500, case.rows.shape[0])
    chosen = random.choice(case.rows.shape[0], count, replace=False)
    x, y = case.rows[chosen].toarray(), case.labels[chosen]

    def plain(w):
        return np.logaddexp(0, -y * (x @ w)).mean() + case.l2 / 2 * np.sum(w * w)

    w = random.normal(size=x.shape[1]) * 0.3
    f, gradient = numpy_objective(signed(case.rows[chosen], y), case.l2)(w)
    assert abs(f - plain(w)) <= 1e-13 * abs(f), "the objective's value is wrong"
    step = 1e-5
    differences = [
        (plain(w + step * e) - plain(w - step * e)) / (2 * step) for e in np.eye(len(w))
    ]
    error = np.abs(gradient - differences).max() / np.abs(gradient).max()
    assert error < 1e-8, f"the gradient is off by {error:.1e}"
    return error


def optimum(case):
    """The least value and its point, by Newton steps with halving, in f64."""
    import numpy as np
    from scipy import sparse

    matrix, count = case.exact_matrix, case.exact_matrix.shape[0]
    w = np.zeros(matrix.shape[1])
    f, gradient = case.exact(w)
    first = np.linalg.norm(gradient)
    for _ in range(100):
        if np.linalg.norm(gradient) <= 1e-13 * first:
            break
        s = 1 / (1 + np.exp(-np.clip(matrix @ w, -500, 500)))
        hessian = (matrix.T @ sparse.diags(s * (1 - s) / count) @ matrix).toarray()
        hessian[np.diag_indices_from(hessian)] += case.l2
        move = np.linalg.solve(hessian, gradient)
        length = 1.0
        while length > 1e-6 and case.exact(w - length * move)[0] > f + 1e-14:
            length /= 2
        w = w - length * move
        f, gradient = case.exact(w)
    return f, w, float(np.linalg.norm(gradient) / first)


def torch_value(case, w):
    """The value at w as PyTorch computes it, for the check, in f64."""
    import torch
    from torch.nn.functional import logsigmoid

    w = torch.from_numpy(w)
    margins = torch.from_numpy(case.exact_matrix.toarray()) @ w
    return (-logsigmoid(margins).mean() + 0.5 * case.l2 * w.dot(w)).item()


def programs(case, options):
    """Every program's name and what runs it once."""
    plan = {
        "scipy L-BFGS-B, CSR": lambda: run_scipy(case, options),
        "torch LBFGS, dense": lambda: run_torch(case, options, case.dense, False),
        "torch LBFGS, CSR": lambda: run_torch(case, options, case.sparse, False),
        "torch LBFGS, CSR, gradient by hand": lambda: run_torch(
            case, options, case.sparse, True
        ),
        "torch LBFGS, CSR, gradient by hand, f x rows": lambda: run_torch(
            case, options, case.sparse, True, case.rows.shape[0]
        ),
    }
    if options.secant:
        plan["secant l-bfgs"] = lambda: run_secant(case, options)
    return plan


def print_jitter(case, options, names):
    """Evaluations with l2 barely changed; without the autograd rows."""
    counts = {name: [] for name in names if name not in AUTOGRAD}
    for number in range(1, options.jitter + 1):
        plan = programs(case.jittered(number), options)
        for name in counts:
            counts[name].append(plan[name]()[0].evaluations)
    print(f"\n| evaluations of {options.jitter} jittered runs | least | median | most |")
    print("| --- | ---: | ---: | ---: |")
    for name, seen in counts.items():
        print(f"| {name} | {min(seen)} | {statistics.median(seen):g} | {max(seen)} |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="LIBSVM file, .gz or plain")
    parser.add_argument("--l2", default="auto", help="auto is 1 / rows")
    parser.add_argument("--memory", type=int, default=10)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--precision", choices=["f64", "f32"], default="f64")
    parser.add_argument("--secant", type=Path, help="our binary; left out without it")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jitter", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main():
    options = parse()
    for name in ("OMP", "MKL", "OPENBLAS", "RAYON"):
        os.environ[f"{name}_NUM_THREADS"] = str(options.threads)
    try:
        import numpy as np
        import scipy
        import torch
    except ImportError as missing:
        if not VENV_PYTHON.exists() or Path(sys.prefix) == HERE / ".venv":
            sys.exit(f"minimize_peers.py: {missing}; run benches/setup-peers.sh first.")
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
    import warnings

    warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
    warnings.filterwarnings("ignore", message="Sparse invariant checks")
    torch.set_num_threads(options.threads)
    if options.secant:
        options.secant = options.secant.resolve()

    case = Case(options)
    count, width = case.rows.shape
    error = check_gradient(case)
    least, where, least_norm = optimum(case)
    zero = np.zeros(width)
    apart = [abs(case.exact(w)[0] - torch_value(case, w)) for w in (zero, where)]
    assert max(apart) < 1e-13, f"SciPy and PyTorch differ by {max(apart):.1e}"

    plan = programs(case, options)
    results = {name: [] for name in plan}
    for number in range(options.runs + 1):
        for name in list(plan):
            try:
                record, seconds, ended = plan[name]()
            except RuntimeError as problem:
                reason = str(problem).splitlines()[0]
                print(f"{name} left out: {reason}", file=sys.stderr)
                del plan[name], results[name]
                continue
            if number > 0:
                results[name].append((record, seconds, ended))

    print(
        f"{options.file.name}: {count} rows, {width} features, {case.rows.nnz} nonzeros; "
        f"l2 {case.l2:.6e}, memory {options.memory}, tolerance {options.tolerance:g}, "
        f"{options.precision}\n"
        f"torch {torch.__version__}, scipy {scipy.__version__}, numpy {np.__version__}, "
        f"{options.threads} threads, median of {options.runs} runs\n"
        f"checks: gradient beside differences {error:.1e}; SciPy beside PyTorch at the "
        f"start {apart[0]:.1e}, at the optimum {apart[1]:.1e}\n"
        f"optimum by Newton: f {least:.15g} (relative gradient norm {least_norm:.1e})\n"
    )
    print("| program | evaluations | iterations | seconds | fastest to slowest "
          "| relative gradient norm | f | f - optimum |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    failed = False
    for name, runs in results.items():
        record, _, _ = runs[-1]
        times = [seconds for _, seconds, _ in runs]
        counts = sorted({run.evaluations for run, _, _ in runs})
        evaluations = "-".join(str(c) for c in dict.fromkeys((counts[0], counts[-1])))
        missed = not all(ended for _, _, ended in runs)
        failed |= missed
        print(
            f"| {name}{' (tolerance not met)' if missed else ''} | {evaluations} "
            f"| {record.iterations} | {statistics.median(times):.4f} "
            f"| {min(times):.4f} to {max(times):.4f} "
            f"| {record.norm / record.first_norm:.2e} | {record.f:.15g} "
            f"| {record.f - least:.1e} |"
        )
    if options.jitter:
        print_jitter(case, options, results)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("minimize_peers.py: stopped.")
