-- Counts and a cheap digest, to compare two servers by. Good enough here, where nobody swaps values to deceive it.
SELECT 'images', count(*), sum(hashtextextended(t::text, 0)) FROM images AS t
UNION ALL
SELECT 'categories', count(*), sum(hashtextextended(t::text, 0)) FROM categories AS t;
