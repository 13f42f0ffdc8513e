//! Products of matrices in whole numbers of eight bits: how weights and the numbers they are multiplied by are
//! rounded, and what the sums are worth. Knows nothing of whisper.
//!
//! Both are rounded by rows (weights to -127..127, so that nought stays nought; the others to 0..255, between the
//! least and the greatest of the row), the products are summed exactly, and the sums are scaled: "dynamic
//! quantisation", as in Jacob et al. 2018 (arXiv 1712.05877), section 2. Rows are long, and one great weight would
//! make the steps of all others coarse; so weights are rounded in blocks of [`BLOCK`] inputs.

use rten_gemm::{GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// The numbers that a token is to the model small.
const WIDE: usize = 768;

/// Inputs whose weights are rounded together where a model is narrower than [`WIDE`].
///
/// Measured with tiny on eleven minutes of English talks, 1,224 words: 48 wrong with weights in 16 bits; 63 when
/// whole rows of 384 to 1,536 are rounded together, 59 by 192, 52 by 128, 55 by 64, 48 by 32, at 0.031, 0.034, 0.036,
/// 0.047 and 0.064 s of CPU for a second (0.054 in 16 bits). Sixteen bits for what they are multiplied by change nothing.
/// With small, in blocks of 768: 48 wrong, by 128 the same, at a sixth less CPU; with four bits
/// where one row is multiplied 52, at a tenth less still.
const NARROW_BLOCK: usize = 128;

/// Inputs whose weights to round together, in a model as wide as that: the numbers that a token is to it.
pub fn block_for(width: usize) -> usize {
    if width < WIDE { NARROW_BLOCK } else { width }
}

/// Rows that are multiplied at once: their sums stay in the processor's nearer caches.
const ROWS: usize = 64;

type Sums = GemmExecutor<u8, i8, i32>;

/// A matrix of weights, rounded.
pub struct Weights {
    blocks: Vec<Block>,
    /// Inputs of each block; the last may have fewer.
    block: usize,
    inputs: usize,
    outputs: usize,
}

/// The weights of some inputs.
struct Block {
    whole: PackedBMatrix<i8>,
    scales: Scales,
}

/// What is to be known of each output's weights in a block.
#[derive(Default)]
struct Scales {
    /// What one is worth.
    steps: Vec<f32>,
    /// The whole numbers, summed.
    totals: Vec<f32>,
}

/// Multiplies. Keeps its room from one product to the next; not shared between threads at one time.
pub struct Multiplier {
    sums: Sums,
    whole: Vec<u8>,
    rows: Vec<Row>,
    summed: Vec<i32>,
}

/// How a row of numbers was rounded.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// What one is worth.
    step: f32,
    /// What stands for nought: a whole number from 0 to 255.
    zero: f32,
}

impl Multiplier {
    /// `None` on a processor that has no instruction for it (AVX-512 VNNI; on ARM, dot products): there it would be
    /// no faster, or its sums would be cut off.
    pub fn new() -> Option<Self> {
        let sums = Sums::new();
        let made_for_it = ["-avx512", "-dotprod", "-i8mm"];
        let is_made_for_it =
            !sums.may_saturate() && made_for_it.iter().any(|it| sums.kernel_name().ends_with(it));
        is_made_for_it.then(|| Self { sums, whole: vec![], rows: vec![], summed: vec![] })
    }

    /// Rounds a matrix, the weights of `block` inputs (at least one) together: a row for each output, as many numbers in
    /// each as there are inputs (at least one of both). Rows of another length are cut or filled with noughts.
    pub fn weights(
        &self,
        inputs: usize,
        block: usize,
        matrix: impl Iterator<Item = Vec<f32>>,
    ) -> Weights {
        let mut blocks: Vec<(Vec<i8>, Scales)> = Vec::new();
        blocks.resize_with(inputs.div_ceil(block), Default::default);
        for mut row in matrix {
            row.resize(inputs, 0.0);
            for (weights, (whole, scales)) in row.chunks(block).zip(&mut blocks) {
                let most = weights.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
                let step = most / 127.0;
                let steps = if step > 0.0 { 1.0 / step } else { 0.0 };
                let start = whole.len();
                whole.extend(weights.iter().map(|it| (it * steps).round() as i8));
                let total: i32 = whole[start..].iter().map(|it| i32::from(*it)).sum();
                scales.steps.push(step);
                scales.totals.push(total as f32);
            }
        }
        let outputs = blocks.first().map_or(0, |it| it.1.steps.len());
        let packed = |(whole, scales): (Vec<i8>, Scales)| {
            let matrix = NdTensorView::from_data([outputs, whole.len() / outputs], &whole[..]);
            Block { whole: self.sums.prepack_b(matrix.transposed()), scales }
        };
        Weights { blocks: blocks.into_iter().map(packed).collect(), block, inputs, outputs }
    }

    /// Multiplies each row of `numbers` (as many as the weights have inputs) by each row of the weights; `products`
    /// has a row for each row of numbers, in it a product for each output. The numbers must be finite.
    pub fn multiply(
        &mut self,
        numbers: &[f32],
        weights: &Weights,
        products: &mut [f32],
    ) -> Result<(), GemmError> {
        let rows = numbers.chunks(ROWS * weights.inputs);
        for (numbers, products) in rows.zip(products.chunks_mut(ROWS * weights.outputs)) {
            self.multiply_rows(numbers, weights, products)?;
        }
        Ok(())
    }

    fn multiply_rows(
        &mut self,
        numbers: &[f32],
        weights: &Weights,
        products: &mut [f32],
    ) -> Result<(), GemmError> {
        let Weights { blocks, block, inputs, outputs } = weights;
        self.whole.resize(numbers.len(), 0);
        self.rows.clear();
        for (row, whole) in numbers.chunks_exact(*inputs).zip(self.whole.chunks_exact_mut(*inputs))
        {
            self.rows.push(rounded(row, whole));
        }
        let count = self.rows.len();
        self.summed.resize(count * outputs, 0);
        let whole = NdTensorView::from_data([count, *inputs], &self.whole[..]);
        for (number, weights) in blocks.iter().enumerate() {
            let of = number * block..(*inputs).min((number + 1) * block);
            // What stands for nought is taken off below: rten-gemm 0.27 takes that of other rows where there are many.
            self.sums.gemm(
                &mut self.summed,
                GemmInputA::Unpacked(whole.slice((.., of))),
                GemmInputB::Packed(&weights.whole),
                GemmOptions::default(),
            )?;
            let sums = self.summed.chunks_exact(*outputs);
            let all = products.chunks_exact_mut(*outputs).zip(sums).zip(&self.rows);
            for ((products, sums), row) in all {
                let worth = products.iter_mut().zip(worth(sums, *row, &weights.scales));
                if number == 0 {
                    worth.for_each(|(product, it)| *product = it);
                } else {
                    worth.for_each(|(product, it)| *product += it);
                }
            }
        }
        Ok(())
    }
}

/// Rounds a row of numbers to `whole`, which is as long.
fn rounded(row: &[f32], whole: &mut [u8]) -> Row {
    let (least, most) = extremes(row);
    let step = (most - least) / 255.0;
    let steps = if step > 0.0 { 1.0 / step } else { 0.0 };
    let zero = (-least * steps).round();
    for (whole, number) in whole.iter_mut().zip(row) {
        let it = number * steps + zero;
        let it = if 0.0 < it { it } else { 0.0 };
        let it = if it < 255.0 { it } else { 255.0 };
        // Of numbers as great as this the last bits are whole ones: `as u8` takes ten times as long.
        *whole = (it + 8_388_608.0).to_bits() as u8;
    }
    Row { step, zero }
}

/// The least and the greatest, and nought. In lanes, as the compiler may not change the order by itself.
fn extremes(row: &[f32]) -> (f32, f32) {
    let (mut least, mut most) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (it, (least, most)) in chunk.iter().zip(least.iter_mut().zip(&mut most)) {
            *least = if it < least { *it } else { *least };
            *most = if it > most { *it } else { *most };
        }
    }
    let least = least.iter().chain(rest).copied().fold(0.0, f32::min);
    let most = most.iter().chain(rest).copied().fold(0.0, f32::max);
    (least, most)
}

/// As many numbers as the widest registers hold.
const LANES: usize = 16;

/// What sums of a row are worth. (A float has 24 bits, of a long block's sum not all; to round took far more.)
fn worth(sums: &[i32], row: Row, scales: &Scales) -> impl Iterator<Item = f32> {
    let scales = scales.steps.iter().zip(&scales.totals);
    let worth = move |(sum, (step, total)): (&i32, (&f32, &f32))| {
        (*sum as f32 - row.zero * total) * (row.step * step)
    };
    sums.iter().zip(scales).map(worth)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut chance = StdRng::seed_from_u64(seed);
        (0..count).map(|_| chance.random_range(-0.5..0.5)).collect()
    }

    fn product(row: &[f32], weights: &[f32]) -> f32 {
        row.iter().zip(weights).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn products_are_those_of_the_numbers_to_a_hundredth() {
        let Some(mut multiplier) = Multiplier::new() else {
            return; // There is nothing to be tested on this processor.
        };
        for (rows, inputs, outputs, block) in [
            (1, 384, 384, 128),
            (2, 384, 1_536, 384),
            (64, 1_536, 384, 128),
            (320, 384, 70, 1_000),
            (7, 100, 33, 32),
            (1, 3_072, 70, 3_072),
            (1, 1, 1, 1),
        ] {
            let matrix = numbers(inputs * outputs, 1);
            let each = matrix.chunks(inputs).map(<[f32]>::to_vec);
            let weights = multiplier.weights(inputs, block, each);
            // Rows of unlike size and sign: a row is rounded by itself.
            let mut many = numbers(rows * inputs, 2);
            for (number, it) in many.chunks_mut(inputs).enumerate() {
                it.iter_mut()
                    .for_each(|it| *it = (*it + number as f32 * 0.01) * (1 + number % 5) as f32);
            }
            let mut products = vec![f32::NAN; rows * outputs];
            multiplier.multiply(&many, &weights, &mut products).unwrap();
            for (row, got) in many.chunks(inputs).zip(products.chunks(outputs)) {
                let expect: Vec<f32> = matrix.chunks(inputs).map(|it| product(row, it)).collect();
                let sum = |it: &mut dyn Iterator<Item = f32>| it.map(|it| it * it).sum::<f32>();
                let off = sum(&mut expect.iter().zip(got).map(|(a, b)| a - b));
                let whole = sum(&mut expect.iter().copied());
                assert!(off.sqrt() <= 0.01 * whole.sqrt(), "{rows} {inputs} {outputs}");
            }
        }
    }

    #[test]
    fn rounding_keeps_nought_and_both_ends() {
        for row in
            [vec![-3.0, 0.0, 1.0, 17.0], vec![1.0, 2.0, 255.0], vec![-0.1, -7.0], numbers(100, 3)]
        {
            let mut whole = vec![0; row.len()];
            let Row { step, zero } = rounded(&row, &mut whole);
            for (it, whole) in row.iter().zip(&whole) {
                let back = (f32::from(*whole) - zero) * step;
                assert!((it - back).abs() <= step * 1.01, "{it} became {back}, in steps of {step}");
                assert!(*it != 0.0 || back == 0.0);
            }
        }
        let mut whole = [1; 20];
        let Row { step, zero } = rounded(&[0.0; 20], &mut whole);
        assert_eq!((whole, step, zero), ([0; 20], 0.0, 0.0));
    }

    #[test]
    fn noughts_are_numbers_too() {
        let Some(mut multiplier) = Multiplier::new() else {
            return;
        };
        let weights = multiplier.weights(3, 2, [vec![0.0; 3], vec![1.0]].into_iter());
        let mut products = [f32::NAN; 4];
        multiplier.multiply(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0], &weights, &mut products).unwrap();
        assert!((products[1] - 1.0).abs() < 0.02, "{products:?}");
        assert_eq!([products[0], products[2], products[3]], [0.0; 3]);
        multiplier.multiply(&[], &weights, &mut []).unwrap();
    }
}
