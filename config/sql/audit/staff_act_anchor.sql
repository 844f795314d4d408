-- Where the chain stood when it was noted, it stands still: nobody has written it anew.
SELECT n.seq AS act, encode(n.hash, 'hex') AS expected,
       coalesce(encode(a.hash, 'hex'), 'no such act') AS found
FROM config_staffactanchor n
LEFT JOIN config_staffact a ON a.seq = n.seq
WHERE a.seq IS NULL OR a.hash <> n.hash
ORDER BY n.seq
