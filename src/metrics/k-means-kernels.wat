;; The inner loops of k-means. `npm run kernels` compiles this file to k-means-kernels-wasm.ts.
;;
;; Every sum but that of `products` is taken in the order of its terms, so its result equals that of a plain loop bit for bit:
;; the lanes of a vector belong to different sums. Addresses and sizes are in bytes; a row takes a multiple of 32 bytes.
(module
  (import "k-means" "memory" (memory 1))

  ;; out[row] = min(known[row], |row - origin|^2). Rows are stored in blocks of 8, column by column. [blocks, columns, 8]
  (func (export "nearer")
    (param $block i32) (param $end i32) (param $origin i32) (param $width i32) (param $known i32) (param $out i32)
    (local $i i32) (local $value v128) (local $t v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $width (i32.add (local.get $origin) (local.get $width)))
    (loop $blocks
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (local.set $c (v128.const i64x2 0 0))
      (local.set $d (v128.const i64x2 0 0))
      (local.set $i (local.get $origin))
      (loop $columns
        (local.set $value (v128.load64_splat (local.get $i)))
        (local.set $t (f64x2.sub (local.get $value) (v128.load (local.get $block))))
        (local.set $a (f64x2.add (local.get $a) (f64x2.mul (local.get $t) (local.get $t))))
        (local.set $t (f64x2.sub (local.get $value) (v128.load offset=16 (local.get $block))))
        (local.set $b (f64x2.add (local.get $b) (f64x2.mul (local.get $t) (local.get $t))))
        (local.set $t (f64x2.sub (local.get $value) (v128.load offset=32 (local.get $block))))
        (local.set $c (f64x2.add (local.get $c) (f64x2.mul (local.get $t) (local.get $t))))
        (local.set $t (f64x2.sub (local.get $value) (v128.load offset=48 (local.get $block))))
        (local.set $d (f64x2.add (local.get $d) (f64x2.mul (local.get $t) (local.get $t))))
        (local.set $block (i32.add (local.get $block) (i32.const 64)))
        (br_if $columns
          (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (local.get $width))))
      (v128.store (local.get $out) (f64x2.pmin (local.get $a) (v128.load (local.get $known))))
      (v128.store offset=16 (local.get $out) (f64x2.pmin (local.get $b) (v128.load offset=16 (local.get $known))))
      (v128.store offset=32 (local.get $out) (f64x2.pmin (local.get $c) (v128.load offset=32 (local.get $known))))
      (v128.store offset=48 (local.get $out) (f64x2.pmin (local.get $d) (v128.load offset=48 (local.get $known))))
      (local.set $known (i32.add (local.get $known) (i32.const 64)))
      (local.set $out (i32.add (local.get $out) (i32.const 64)))
      (br_if $blocks (i32.lt_u (local.get $block) (local.get $end)))))

  ;; out[pair] = row . centre in float32 for pairs of numbers of rows and centres, two pairs at a time. Eight sums for each, of every
  ;; eighth column: the one result here that is rounded otherwise than that of a plain loop.
  (func (export "products")
    (param $pair i32) (param $end i32) (param $rows i32) (param $centres i32) (param $width i32) (param $out i32)
    (local $rowA i32) (local $rowB i32) (local $centreA i32) (local $centreB i32) (local $i i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $pairs
      (local.set $rowA (i32.add (local.get $rows) (i32.mul (local.get $width) (i32.load (local.get $pair)))))
      (local.set $centreA (i32.add (local.get $centres) (i32.mul (local.get $width) (i32.load offset=4 (local.get $pair)))))
      (local.set $rowB (i32.add (local.get $rows) (i32.mul (local.get $width) (i32.load offset=8 (local.get $pair)))))
      (local.set $centreB (i32.add (local.get $centres) (i32.mul (local.get $width) (i32.load offset=12 (local.get $pair)))))
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (local.set $c (v128.const i64x2 0 0))
      (local.set $d (v128.const i64x2 0 0))
      (local.set $i (i32.const 0))
      (loop $columns
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul
          (v128.load (i32.add (local.get $rowA) (local.get $i)))
          (v128.load (i32.add (local.get $centreA) (local.get $i))))))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul
          (v128.load offset=16 (i32.add (local.get $rowA) (local.get $i)))
          (v128.load offset=16 (i32.add (local.get $centreA) (local.get $i))))))
        (local.set $c (f32x4.add (local.get $c) (f32x4.mul
          (v128.load (i32.add (local.get $rowB) (local.get $i)))
          (v128.load (i32.add (local.get $centreB) (local.get $i))))))
        (local.set $d (f32x4.add (local.get $d) (f32x4.mul
          (v128.load offset=16 (i32.add (local.get $rowB) (local.get $i)))
          (v128.load offset=16 (i32.add (local.get $centreB) (local.get $i))))))
        (br_if $columns
          (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 32))) (local.get $width))))
      (local.set $a (f32x4.add (local.get $a) (local.get $b)))
      (local.set $c (f32x4.add (local.get $c) (local.get $d)))
      (f32.store (local.get $out) (f32.add
        (f32.add (f32x4.extract_lane 0 (local.get $a)) (f32x4.extract_lane 1 (local.get $a)))
        (f32.add (f32x4.extract_lane 2 (local.get $a)) (f32x4.extract_lane 3 (local.get $a)))))
      (f32.store offset=4 (local.get $out) (f32.add
        (f32.add (f32x4.extract_lane 0 (local.get $c)) (f32x4.extract_lane 1 (local.get $c)))
        (f32.add (f32x4.extract_lane 2 (local.get $c)) (f32x4.extract_lane 3 (local.get $c)))))
      (local.set $out (i32.add (local.get $out) (i32.const 8)))
      (br_if $pairs
        (i32.lt_u (local.tee $pair (i32.add (local.get $pair) (i32.const 16))) (local.get $end)))))

  ;; Adds each row to the sum of its cluster; rows of a cluster whose sum has address 0 are left out.
  (func (export "addRows")
    (param $row i32) (param $end i32) (param $width i32) (param $cluster i32) (param $targets i32)
    (local $sum i32) (local $next i32)
    (loop $rows
      (local.set $next (i32.add (local.get $row) (local.get $width)))
      (local.set $sum (i32.load (i32.add (local.get $targets) (i32.shl (i32.load (local.get $cluster)) (i32.const 2)))))
      (if (local.get $sum)
        (then
          (loop $columns
            (v128.store (local.get $sum) (f64x2.add (v128.load (local.get $sum)) (v128.load (local.get $row))))
            (v128.store offset=16 (local.get $sum)
              (f64x2.add (v128.load offset=16 (local.get $sum)) (v128.load offset=16 (local.get $row))))
            (local.set $sum (i32.add (local.get $sum) (i32.const 32)))
            (br_if $columns
              (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 32))) (local.get $next))))))
      (local.set $row (local.get $next))
      (local.set $cluster (i32.add (local.get $cluster) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.get $row) (local.get $end)))))

  ;; Lists the rows from $row to $end that may have a centre nearer than their own, and returns their number.
  (func (export "wake")
    (param $row i32) (param $end i32) (param $reach i32) (param $lower i32) (param $moved i32) (param $width i32)
    (param $woken i32) (result i32)
    (local $start i32) (local $path i32) (local $stop i32) (local $limit v128) (local $beyond v128)
    (local.set $start (local.get $woken))
    (local.set $stop (i32.add (local.get $moved) (local.get $width)))
    (loop $rows
      (local.set $limit (v128.load32_splat (local.get $reach)))
      (local.set $beyond (v128.const i32x4 -1 -1 -1 -1))
      (local.set $path (local.get $moved))
      (loop $each
        (local.set $beyond (v128.and (local.get $beyond)
          (f32x4.gt (f32x4.sub (v128.load (local.get $lower)) (v128.load (local.get $path))) (local.get $limit))))
        (local.set $lower (i32.add (local.get $lower) (i32.const 16)))
        (br_if $each (i32.lt_u (local.tee $path (i32.add (local.get $path) (i32.const 16))) (local.get $stop))))
      (if (i32.eqz (i32x4.all_true (local.get $beyond)))
        (then
          (i32.store (local.get $woken) (local.get $row))
          (local.set $woken (i32.add (local.get $woken) (i32.const 4)))))
      (local.set $reach (i32.add (local.get $reach) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 1))) (local.get $end))))
    (i32.shr_u (i32.sub (local.get $woken) (local.get $start)) (i32.const 2)))

  ;; Pairs each woken row with the centres that may be within its reach. Stores the number of pairs before each row and at last.
  (func (export "pair")
    (param $woken i32) (param $end i32) (param $reach i32) (param $lower i32) (param $moved i32) (param $width i32)
    (param $pair i32) (param $count i32)
    (local $first i32) (local $row i32) (local $bound i32) (local $i i32) (local $bits i32) (local $limit v128)
    (local.set $first (local.get $pair))
    (loop $rows
      (i32.store (local.get $count) (i32.shr_u (i32.sub (local.get $pair) (local.get $first)) (i32.const 3)))
      (local.set $row (i32.load (local.get $woken)))
      (local.set $bound (i32.add (local.get $lower) (i32.mul (local.get $row) (local.get $width))))
      (local.set $limit (v128.load32_splat (i32.add (local.get $reach) (i32.shl (local.get $row) (i32.const 2)))))
      (local.set $i (i32.const 0))
      (loop $each
        (local.set $bits (i32x4.bitmask (v128.not (f32x4.gt
          (f32x4.sub (v128.load (i32.add (local.get $bound) (local.get $i)))
            (v128.load (i32.add (local.get $moved) (local.get $i))))
          (local.get $limit)))))
        (block $none
          (br_if $none (i32.eqz (local.get $bits)))
          (loop $lanes
            (i32.store (local.get $pair) (local.get $row))
            (i32.store offset=4 (local.get $pair)
              (i32.add (i32.shr_u (local.get $i) (i32.const 2)) (i32.ctz (local.get $bits))))
            (local.set $pair (i32.add (local.get $pair) (i32.const 8)))
            (br_if $lanes
              (local.tee $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1)))))))
        (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (local.get $width))))
      (local.set $count (i32.add (local.get $count) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.tee $woken (i32.add (local.get $woken) (i32.const 4))) (local.get $end))))
    (i32.store (local.get $count) (i32.shr_u (i32.sub (local.get $pair) (local.get $first)) (i32.const 3))))

  ;; The nearest and second nearest of each woken row's own centre and the centres it is paired with, by d = |c|^2 - 2 x.c. Also
  ;; sets the lower bounds of the paired centres.
  (func (export "compare")
    (param $woken i32) (param $end i32) (param $starts i32) (param $pair i32) (param $found i32) (param $scale f64)
    (param $error f64) (param $norms i32) (param $squares i32) (param $path i32) (param $clusters i32) (param $own i32)
    (param $lower i32) (param $width i32) (param $nearest i32) (param $best i32) (param $second i32)
    (local $first i32) (local $row i32) (local $stop i32) (local $cluster i32) (local $bound i32) (local $which i32)
    (local $norm f64) (local $d f64) (local $least f64) (local $next f64)
    (local.set $first (local.get $pair))
    (loop $rows
      (local.set $row (i32.load (local.get $woken)))
      (local.set $norm (f64.sub
        (f64.load (i32.add (local.get $norms) (i32.shl (local.get $row) (i32.const 3)))) (local.get $error)))
      (local.set $bound (i32.add (local.get $lower) (i32.mul (local.get $row) (local.get $width))))
      (local.set $which (i32.load (i32.add (local.get $clusters) (i32.shl (local.get $row) (i32.const 2)))))
      (local.set $least (f64.load (local.get $own)))
      (local.set $next (f64.const inf))
      (local.set $stop (i32.add (local.get $first) (i32.shl (i32.load offset=4 (local.get $starts)) (i32.const 3))))
      (block $none
        (br_if $none (i32.ge_u (local.get $pair) (local.get $stop)))
        (loop $pairs
          (local.set $cluster (i32.load offset=4 (local.get $pair)))
          (local.set $d (f64.sub
            (f64.load (i32.add (local.get $squares) (i32.shl (local.get $cluster) (i32.const 3))))
            (f64.mul (local.get $scale) (f64.promote_f32 (f32.load (local.get $found))))))
          (f32.store (i32.add (local.get $bound) (i32.shl (local.get $cluster) (i32.const 2)))
            (f32.demote_f64 (f64.min (f64.const 0x1p127) (f64.mul (f64.const 0x1.fffff8p-1) (f64.add
              (f64.sqrt (f64.max (f64.add (local.get $norm) (local.get $d)) (f64.const 0)))
              (f64.load (i32.add (local.get $path) (i32.shl (local.get $cluster) (i32.const 3)))))))))
          (if (f64.lt (local.get $d) (local.get $least))
            (then
              (local.set $next (local.get $least))
              (local.set $least (local.get $d))
              (local.set $which (local.get $cluster)))
            (else
              (if (f64.lt (local.get $d) (local.get $next)) (then (local.set $next (local.get $d))))))
          (local.set $found (i32.add (local.get $found) (i32.const 4)))
          (br_if $pairs
            (i32.lt_u (local.tee $pair (i32.add (local.get $pair) (i32.const 8))) (local.get $stop)))))
      (i32.store (local.get $nearest) (local.get $which))
      (f64.store (local.get $best) (local.get $least))
      (f64.store (local.get $second) (local.get $next))
      (local.set $nearest (i32.add (local.get $nearest) (i32.const 4)))
      (local.set $best (i32.add (local.get $best) (i32.const 8)))
      (local.set $second (i32.add (local.get $second) (i32.const 8)))
      (local.set $own (i32.add (local.get $own) (i32.const 8)))
      (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
      (br_if $rows (i32.lt_u (local.tee $woken (i32.add (local.get $woken) (i32.const 4))) (local.get $end))))))
