# Ratios from lines of "round case what seconds". With -v title=1 only the head of the table; with -v round=ROUND -v
# name=CASE one line of it; else the medians over all rounds against what is required, and exit 1 when something is missed.
BEGIN {
    FS = "\t"
    least["apply", "insert-100k"] = least["apply", "update-100k"] = 2
    least["apply", "hot-100k"] = 5
    least["apply", "bulk-200k"] = 1
    label["apply"] = "(a) apply alone, batch_size 5000"
    label["pipeline"] = "(b) from the slot, batch_size 5000"
    label["default"] = "(b) from the slot, batch_size 100"
}

{
    if (!($2 in known)) { known[$2] = 1; cases[++case_count] = $2 }
    if ($1 > rounds) rounds = $1
    took[$1, $2, $3] = $4
}

function has(at, which, what) { return (at, which, what) in took }

# How many times as long `slow` took as `fast`, in the middle of all rounds; "" where they were not measured.
function median_ratio(which, slow, fast,    n, i, ratio) {
    n = 0
    for (i = 1; i <= rounds; i++)
        if (has(i, which, slow) && has(i, which, fast)) ratio[++n] = took[i, which, slow] / took[i, which, fast]
    return n ? middle(ratio, n) : ""
}
function median(which, what,    n, i, values) {
    n = 0
    for (i = 1; i <= rounds; i++) if (has(i, which, what)) values[++n] = took[i, which, what]
    return n ? middle(values, n) : ""
}
function middle(values, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j - 1] > values[j]; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}

function cell(at, which, what) {
    if (!has(at, which, what)) return sprintf("%15s", "-")
    if (what !~ /^(apply|pipeline|default)$/ || !has(at, which, "subscription")) return sprintf("%15.3f", took[at, which, what])
    return sprintf("%7.3f %5.2fx ", took[at, which, what], \
        at == "median" ? median_ratio(which, "subscription", what) : took[at, which, "subscription"] / took[at, which, what])
}
function row(at, which,    i, n, columns, line) {
    n = split("subscription apply pipeline default capture recvlogical copy", columns, " ")
    line = sprintf("%-12s", which)
    for (i = 1; i <= n; i++) line = line cell(at, which, columns[i])
    print line
}
function heading() {
    printf "%-12s%15s%15s%15s%15s%15s%15s%15s\n", "seconds", "subscription", "(a) apply", "(b) 5000", "(b) 100", "capture | put", \
        "pg_recvlogical", "COPY"
}

function judge(which, text, value, bound, at_most,    good) {
    if (value == "") return
    good = at_most ? value <= bound : value >= bound
    if (!good) missed++
    printf "%s  %-12s %-55s %6.2f   required: at %s %.2f\n", good ? "PASS" : "FAIL", which, text, value, at_most ? "most" : "least", bound
}

END {
    if (title != "") { heading(); exit 0 }
    if (round != "") { row(round, name); exit 0 }
    for (i = 1; i <= case_count; i++) {
        n = split("subscription apply pipeline default capture recvlogical copy", columns, " ")
        for (j = 1; j <= n; j++) {
            value = median(cases[i], columns[j])
            if (value != "") took["median", cases[i], columns[j]] = value
        }
    }
    heading()
    for (i = 1; i <= case_count; i++) row("median", cases[i])
    print ""
    for (i = 1; i <= case_count; i++) {
        name = cases[i]
        judge(name, label["apply"] ", against subscription", median_ratio(name, "subscription", "apply"), least["apply", name], 0)
        judge(name, "(a) apply alone, against COPY", median_ratio(name, "apply", "copy"), 1.25, 1)
        judge(name, label["pipeline"], median_ratio(name, "subscription", "pipeline"), 0.95, 0)
        judge(name, label["default"], median_ratio(name, "subscription", "default"), 0.95, 0)
        value = median_ratio(name, "capture", "recvlogical")
        if (value != "") printf "      %-12s %-55s %6.2f\n", name, "capture | queue put, against pg_recvlogical", value
    }
    exit missed > 0
}
