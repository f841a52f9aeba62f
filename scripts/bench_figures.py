"""Results of scripts/bench as a fragment of Markdown: what docs/performance.md shows, with the bars of the project."""
import datetime
import statistics

BEGIN, END = "<!-- figures: scripts/bench --markdown writes what follows -->", "<!-- end of figures -->"
EFFICIENCY_BARS = {(64, "aes-cbc"): 0.70, (512, "aes-cbc"): 0.83, (1408, "aes-cbc"): 0.90, (512, "null"): 0.75}
SAS_BARS = {1_000_000: 0.80, 4_000_000: 0.72}
COMPARE_BARS = {64: 1.3, 512: 1.45, 1400: 1.3}
TUNNEL_BAR, WORKERS_BAR, GAP_BAR_US, OPS_BAR = 8, 1.9, 100, 800_000
STAGES = ["poll", "classify", "sa", "build", "crypto", "open", "deliver"]  # of both directions


def against(value, bar, least=True):
    met = value >= bar if least else value <= bar
    return f"{bar:g}" + ("" if met else ": missed")


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(r) + " |" for r in rows] + [""]


def pick(results, **keys):
    return [r for r in results if all(r[k] == v for k, v in keys.items())]


def efficiency(done):
    rows = []
    for r in done.get("size", []):
        bar = EFFICIENCY_BARS.get((r["size"], r["encr"])) if r["integ"] == "hmac-sha-1-96" else None
        floor = r["cycles_per_packet"] * r["efficiency"]
        rows.append([f"{r['dir']}, {r['encr']}, {r['size']} B", f"{r['cycles_per_packet']:.0f}", f"{floor:.0f}",
                     f"{r['cycles_per_packet'] - floor:.0f}", f"{r['efficiency']:.3f}", against(r["efficiency"], bar) if bar else ""])
    return ["One SA, one worker, IPv4, transport mode, HMAC-SHA-1-96, TSC cycles of a packet:", ""] + table(
        ["", "pipeline", "bare library", "ours", "efficiency", "bar"], rows) if rows else []


def many_sas(done):
    rows = []
    for d in ("out", "in"):
        runs = pick(done.get("sas", []), dir=d)
        one = next((r for r in runs if r["sas"] == 1), None)
        for r in runs:
            if one and r["sas"] > 1:
                ratio = r["mpps"] / one["mpps"]
                rows.append([f"{d}, {r['sas']:,}", f"{r['cycles_per_packet']:.0f}", f"{r['efficiency']:.3f}", f"{ratio:.2f}",
                             against(ratio, SAS_BARS[r["sas"]]) if r["sas"] in SAS_BARS else "",
                             f"{r['bytes_per_sa']:.0f}" if r.get("bytes_per_sa") else ""])
    return ["512 octets, AES-CBC, SAs in random order, each with its own keys, against one SA:", ""] + table(
        ["SAs", "cycles", "efficiency", "rate of one SA's", "bar", "octets per SA (bar 256)"], rows) if rows else []


def stages(done):
    runs = [r for r in done.get("sas", []) if r.get("stages") and r["sas"] in (1, 1_000_000)]
    names = [n for n in STAGES if any(r["stages"].get(n, 0) >= 0.5 for r in runs)]
    cell = lambda r, n: f"{r['stages'].get(n, 0):.0f}" if r["stages"].get(n, 0) >= 0.5 else "-"
    rows = [[n] + [cell(r, n) for r in runs] for n in names]
    rows.append(["**all**"] + [f"{r['cycles_per_packet']:.0f}" for r in runs])
    rows.append(["**bare library in the same run**"] + [f"{r['cycles_per_packet'] * r['efficiency']:.0f}" for r in runs])
    head = ["stage"] + [f"{r['dir']}, {r['sas']:,} SA{'s' * (r['sas'] > 1)}" for r in runs]
    return ["Cycles by stage, 512 octets:", ""] + table(head, rows) if runs else []


def modes(done):
    rows = []
    for d in ("out", "in"):
        one = next(iter(pick(done.get("size", []), dir=d, size=512, encr="aes-cbc", integ="hmac-sha-1-96")), None)
        for r in pick(done.get("tunnel", []), dir=d, size=512):
            if one:
                more = 100 * (r["cycles_per_packet"] / one["cycles_per_packet"] - 1)
                rows.append([f"UDP-encapsulated tunnel, {d}", f"{r['cycles_per_packet']:.0f} cycles, {more:+.1f} %",
                             against(more, TUNNEL_BAR, False).replace("8", "+8 %", 1)])
        rate = {r["workers"]: r["mpps"] for r in pick(done.get("workers", []), dir=d)}
        if {1, 2} <= set(rate):
            rows.append([f"two workers, {d}", f"{rate[2] / rate[1]:.2f} of one", against(rate[2] / rate[1], WORKERS_BAR)])
    return ["512 octets, against transport mode and one worker:", ""] + table(["", "", "bar"], rows) if rows else []


def churn_part(runs):
    if not runs:
        return []
    ops = statistics.median(r["sa_ops_per_s"] for r in runs)
    gap = statistics.median(r["worst_gap_us"] for r in runs)
    each = lambda key: ", ".join(f"{r[key]:.0f}" for r in runs)
    return ["SA sets that come and go while a worker forwards at half its top rate:", ""] + table(["", "", "bar"], [
        ["SA operations per second", f"{ops:,.0f}", against(ops, OPS_BAR)],
        ["packets lost", str(sum(r["lost"] for r in runs)), "0"],
        [f"worst gap of {len(runs)} runs, us", f"{gap:.0f} (median of {each('worst_gap_us')})", against(gap, GAP_BAR_US, False)],
        ["gaps over 100 us", each("gaps_over_100us"), ""],
        ["before the storm: worst gap; over 100 us", each("quiet_gap_us") + "; " + each("quiet_gaps_over_100us"), ""]])


def compare_part(results):
    rows = [[f"{r['dir']}, {r['size']} B", f"{r['esplanade_mpps']:.2f}", f"{r['secgw_mpps']:.2f}",
             f"{r['ratio']:.2f} ({min(r['ratios']):.2f}, {max(r['ratios']):.2f})",
             against(r["ratio"], COMPARE_BARS[r["size"]]) if r["size"] in COMPARE_BARS else ""] for r in results]
    return ["Against DPDK's ipsec-secgw, Mpps:", ""] + table(
        ["", "esplanade", "ipsec-secgw", "ratio (lowest, highest)", "bar"], rows) if rows else []


def fragment(done, churn, compare, machine, command, load):
    when = datetime.date.today().isoformat()
    lines = [f"`{command}` on {machine}; load average {load[0]:.1f} before and {load[1]:.1f} after; {when}.", ""]
    for part in (efficiency(done), many_sas(done), modes(done), churn_part(churn), stages(done), compare_part(compare)):
        lines += part
    return "\n".join(lines)


def write(path, text):
    """Between the marks of a document that has them; else the whole file."""
    old = path.read_text() if path.exists() else ""
    if BEGIN in old and END in old:
        head, rest = old.split(BEGIN, 1)
        text = head + BEGIN + "\n" + text + END + rest.split(END, 1)[1]
    path.write_text(text)
