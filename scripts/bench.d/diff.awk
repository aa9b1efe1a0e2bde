# Of lines ROUND CONTENDER SECONDS PEAK-KB MB: medians, and how they stand to the requirements of scripts/bench diff.
BEGIN { FS = "\t" }

{
    took[$1, $2] = $3
    if ($1 > rounds) rounds = $1
    if ($4 > peak) peak = $4
    if ($5 + 0 > 0) sent[$2] = $5
}

function middle(values, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j - 1] > values[j]; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
# How many times as long as `other`, or with other = "" the seconds; in the middle of all rounds. "" where not measured.
function median(what, other,    n, i, values) {
    for (i = 1; i <= rounds; i++) {
        if (!((i, what) in took) || (other != "" && !((i, other) in took))) continue
        values[++n] = other == "" ? took[i, what] : took[i, what] / took[i, other]
    }
    return n ? middle(values, n) : ""
}
function judge(text, value, bound, unit,    good) {
    if (value == "") return
    good = value <= bound
    if (!good) missed++
    printf "%s  %-58s %7.2f%s   required: at most %.2f%s\n", good ? "PASS" : "FAIL", text, value, unit, bound, unit
}

END {
    n = split("yardstick equal different comparator comparator-1000", names, " ")
    for (i = 1; i <= n; i++) {
        value = median(names[i], "")
        if (value != "") printf "median  %-16s %8.3f s%s\n", names[i], value, names[i] in sent ? ", " sent[names[i]] " MB over the wire" : ""
    }
    print ""
    judge("equal tables, against the yardstick", median("equal", "yardstick"), 1.15, "")
    judge("equal tables, against pg_comparator", median("equal", "comparator"), 0.40, "")
    judge("1,000 differences with their rows, against equal tables", median("different", "equal"), 1.40, "")
    if (peak > 0) judge("the most memory that diff took", peak / 1024, 64, " MiB")
    exit missed > 0
}
