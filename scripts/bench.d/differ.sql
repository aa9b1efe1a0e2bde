-- A scattered difference for every 1,500 of :rows rows that are equal: of 1.5 million 900 changed, 50 missing, 50 extra.
UPDATE images SET views = views + 1 WHERE id % 1500 = 7 AND id / 1500 % 20 NOT IN (3, 13);
DELETE FROM images WHERE id % 1500 = 7 AND id / 1500 % 20 = 3;
INSERT INTO images SELECT row.* FROM generate_series(:rows + 1, :rows + :rows / 30000) AS n CROSS JOIN LATERAL image_row(n) AS row;
VACUUM (FREEZE, ANALYZE) images;
