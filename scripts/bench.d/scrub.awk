# Of lines CONTENDER SECONDS ROWS-READ: medians, and what they say of each other.
BEGIN { FS = "\t" }
{ took[$1, ++count[$1]] = $2; if (!($1 in first)) { first[$1] = 1; order[++names] = $1 }; read[$1] = $3 }
function median(name,    n, i, j, swap, values) {
    n = count[name]
    for (i = 1; i <= n; i++) values[i] = took[name, i]
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j - 1] > values[j]; j--) { swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
function judge(text, value, bound) {
    if (value > bound) missed++
    printf "%s  %-66s %6.3f   required: at most %.2f\n", (value > bound ? "FAIL" : "PASS"), text, value, bound
}
END {
    for (i = 1; i <= names; i++) printf "median  %-10s %8.3f s, %9d rows of the primary read\n", order[i], median(order[i]), read[order[i]]
    print ""
    printf "      a quiet table: %.3f of the time of reading all; after 1,000 changes %.3f\n", median("quiet") / median("full"), median("changed") / median("full")
    printf "      reading back 20,000 rows: the pass takes %.2f times as long\n", median("read-back") / median("applied")
    judge("rows read of a quiet table, of all", read["quiet"] / read["full"], 0.07)
    judge("rows read after 1,000 changes, of all", read["changed"] / read["full"], 0.07)
    exit missed > 0
}
