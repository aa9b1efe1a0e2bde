# Ratios from lines of "round case what seconds". With -v only=ROUND: one line a case of that round; else the medians over
# all rounds against what is required, and exit 1 when something is missed.
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

function has(round, name, what) { return (round, name, what) in took }

# How many times as long `slow` took as `fast`, in the middle of all rounds; "" where they were not measured.
function median_ratio(name, slow, fast,    n, i, j, swap, ratio) {
    n = 0
    for (i = 1; i <= rounds; i++)
        if (has(i, name, slow) && has(i, name, fast)) ratio[++n] = took[i, name, slow] / took[i, name, fast]
    return n ? middle(ratio, n) : ""
}
function median(name, what,    n, i, values) {
    n = 0
    for (i = 1; i <= rounds; i++) if (has(i, name, what)) values[++n] = took[i, name, what]
    return n ? middle(values, n) : ""
}
function middle(values, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j - 1] > values[j]; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}

function cell(round, name, what) {
    if (!has(round, name, what)) return sprintf("%15s", "-")
    if (what == "subscription" || what == "capture" || what == "recvlogical" || what == "copy" || !has(round, name, "subscription"))
        return sprintf("%15.3f", took[round, name, what])
    return sprintf("%7.3f %5.2fx ", took[round, name, what], took[round, name, "subscription"] / took[round, name, what])
}
function row(round, name,    i, n, columns, line) {
    n = split("subscription apply pipeline default capture recvlogical copy", columns, " ")
    line = sprintf("%-12s", name)
    for (i = 1; i <= n; i++) line = line cell(round, name, columns[i])
    print line
}
function heading() {
    printf "%-12s%15s%15s%15s%15s%15s%15s%15s\n", "seconds", "subscription", "(a) apply", "(b) 5000", "(b) 100", "capture | put", \
        "pg_recvlogical", "COPY"
}

function judge(name, text, value, bound, at_most,    good) {
    if (value == "") return
    good = at_most ? value <= bound : value >= bound
    if (!good) missed++
    printf "%s  %-12s %-55s %6.2f   required: at %s %.2f\n", good ? "PASS" : "FAIL", name, text, value, at_most ? "most" : "least", bound
}

END {
    if (only != "") {
        heading()
        for (i = 1; i <= case_count; i++) row(only, cases[i])
        exit 0
    }
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
