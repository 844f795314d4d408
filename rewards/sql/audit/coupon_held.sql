-- A coupon is set aside for a reservation that is open, of the member who uses it.
SELECT u.id AS coupon_use, u.reservation_id AS reservation,
       r.member_id || ' held' AS expected, u.member_id || ' ' || r.status AS found
FROM rewards_couponuse u LEFT JOIN rewards_reservation r ON r.id = u.reservation_id
WHERE u.status = 'held' AND (r.id IS NULL OR r.status <> 'held' OR u.member_id <> r.member_id)
ORDER BY u.id
