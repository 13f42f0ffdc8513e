//! Has whisper multiply by its weights in eight bits ([`int8`](crate::speech::engine::int8)): a backend of ggml, the
//! library whisper.cpp computes with, like those for graphics cards. It takes products with weights, and two
//! functions for which `rten-vecmath` is many times faster; all else stays with ggml's own code. Never touches what
//! was said.
//!
//! What ggml expects of a backend is in its `ggml-backend-impl.h`, of which whisper-rs gives no types; so they are
//! here, for one version ([`VERSION`]): with any other, whisper computes as it does by itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Gelu, Softmax};
use whisper_rs::whisper_rs_sys::{
    ggml_backend_buffer_get_usage, ggml_backend_buffer_type_t,
    ggml_backend_buffer_usage_GGML_BACKEND_BUFFER_USAGE_WEIGHTS as USED_AS_WEIGHTS,
    ggml_backend_buft_is_host, ggml_backend_cpu_buffer_type, ggml_backend_dev_props,
    ggml_backend_dev_t, ggml_backend_dev_type,
    ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_ACCEL as BESIDE_THE_CPU, ggml_backend_reg_t,
    ggml_backend_register, ggml_backend_t, ggml_cgraph, ggml_get_type_traits, ggml_graph_n_nodes,
    ggml_graph_node, ggml_guid, ggml_is_contiguous, ggml_op_GGML_OP_MUL_MAT as PRODUCT,
    ggml_op_GGML_OP_SOFT_MAX as SOFTMAX, ggml_op_GGML_OP_UNARY as OF_EACH, ggml_status,
    ggml_status_GGML_STATUS_ABORTED as STOPPED, ggml_status_GGML_STATUS_FAILED as FAILED,
    ggml_status_GGML_STATUS_SUCCESS as SUCCESS, ggml_tensor, ggml_type_GGML_TYPE_F32 as F32,
    ggml_unary_op_GGML_UNARY_OP_GELU as GELU, ggml_version,
};

use crate::speech::engine::int8::{Multiplier, Weights, block_for};

/// Of ggml, in whisper-rs-sys 0.15.0.
const VERSION: &CStr = c"0.9.5";

const NAME: &CStr = c"int8";

/// From now on whisper's new states multiply in eight bits, where the processor is made for it: three to five
/// times faster on one with AVX-512 VNNI, at some 50 % more memory for weights (what was loaded stays, too). Says
/// whether they do. Once in a process; further calls only say it.
pub fn multiply_in_eight_bits() -> bool {
    static ONCE: Once = Once::new();
    // SAFETY: a text that is always there.
    let is_known = unsafe { CStr::from_ptr(ggml_version()) } == VERSION;
    let may = is_known && Multiplier::new().is_some();
    if may {
        // SAFETY: what is registered lives for ever, and is laid out as this version of ggml has it.
        ONCE.call_once(|| unsafe {
            ggml_backend_register(ptr::from_ref(&REGISTRY).cast_mut().cast())
        });
    }
    may
}

/// What is ours to compute in a graph.
enum Node<'a> {
    Product(Product<'a>),
    Function(Function<'a>),
}

impl<'a> Node<'a> {
    /// # Safety
    /// `node` is a tensor of ggml, as are those it is made of.
    unsafe fn of(node: *const ggml_tensor) -> Option<Self> {
        // SAFETY: as above.
        unsafe {
            let node = node.as_ref()?;
            match node.op {
                PRODUCT => Product::of(node).map(Self::Product),
                OF_EACH | SOFTMAX => Function::of(node).map(Self::Function),
                _ => None,
            }
        }
    }
}

/// The same of each number, or of each row of numbers, without gaps.
struct Function<'a> {
    numbers: &'a ggml_tensor,
    results: &'a ggml_tensor,
}

impl<'a> Function<'a> {
    /// # Safety
    /// As of [`Node::of`].
    unsafe fn of(results: &'a ggml_tensor) -> Option<Self> {
        // SAFETY: as above; both have a first source.
        unsafe {
            let numbers = results.src[0].as_ref()?;
            let is_flat = |it: &ggml_tensor| it.type_ == F32 && ggml_is_contiguous(it);
            // With a mask it is of what has been said already, which is little.
            let is_ours = match results.op {
                OF_EACH => u32::try_from(results.op_params[0]) == Ok(GELU),
                _ => results.src[1..3].iter().all(|it| it.is_null()),
            };
            (is_ours && is_flat(numbers) && is_flat(results)).then_some(Self { numbers, results })
        }
    }

    /// # Safety
    /// The numbers have been computed; nobody else reads or writes the results.
    unsafe fn compute(&self) {
        let size = self.results.ne.iter().product::<i64>() as usize;
        let (from, to) = (self.numbers.data.cast::<f32>(), self.results.data.cast::<f32>());
        // SAFETY: both are of 32-bit floats and without gaps; ggml lays them at one place or wholly apart.
        unsafe {
            if from != to {
                ptr::copy_nonoverlapping(from, to, size);
            }
            let results = slice::from_raw_parts_mut(to, size);
            if self.results.op == OF_EACH {
                Gelu {}.map_mut(results);
                return;
            }
            let scale = f32::from_bits(self.results.op_params[0] as u32);
            for row in results.chunks_exact_mut(self.results.ne[0] as usize) {
                row.iter_mut().for_each(|it| *it *= scale);
                Softmax::new_mut(row).dispatch();
            }
        }
    }
}

/// One product in a graph: numbers and their products lie in rows, without gaps.
struct Product<'a> {
    weights: &'a ggml_tensor,
    numbers: &'a ggml_tensor,
    products: &'a ggml_tensor,
}

impl<'a> Product<'a> {
    /// # Safety
    /// As of [`Node::of`].
    unsafe fn of(products: &'a ggml_tensor) -> Option<Self> {
        // SAFETY: as above; a product always has both.
        unsafe {
            let (weights, numbers) = (products.src[0].as_ref()?, products.src[1].as_ref()?);
            let is_weights = !weights.buffer.is_null()
                && ggml_backend_buffer_get_usage(weights.buffer) == USED_AS_WEIGHTS
                && weights.view_src.is_null()
                && (*ggml_get_type_traits(weights.type_)).to_float.is_some();
            let is_flat = |it: &ggml_tensor| it.ne[2..] == [1, 1] && ggml_is_contiguous(it);
            let is_ours = is_weights
                && numbers.type_ == F32
                && products.type_ == F32
                && [weights, numbers, products].into_iter().all(is_flat);
            is_ours.then_some(Self { weights, numbers, products })
        }
    }

    /// Whether it gives the odds of what follows.
    fn is_odds(&self) -> bool {
        VOCABULARY_MIN <= self.products.ne[0]
    }

    /// The weights as rows of numbers.
    ///
    /// # Safety
    /// They have been loaded.
    unsafe fn matrix(&self) -> impl Iterator<Item = Vec<f32>> {
        let [inputs, outputs, ..] = self.weights.ne;
        let (start, stride) = (self.weights.data.cast::<u8>(), self.weights.nb[1]);
        // SAFETY: ggml knows each of its types.
        let to_float = unsafe { (*ggml_get_type_traits(self.weights.type_)).to_float };
        (0..outputs as usize).filter_map(move |row| {
            let mut numbers = vec![0.0; inputs as usize];
            // SAFETY: the row is inside the tensor, and gives as many numbers as there are inputs.
            unsafe { to_float?(start.add(row * stride).cast(), numbers.as_mut_ptr(), inputs) };
            Some(numbers)
        })
    }

    /// `rows`: of how many tokens the odds are asked for.
    ///
    /// # Safety
    /// The numbers have been computed; nobody else reads or writes the products.
    unsafe fn compute(
        &self,
        multiplier: &mut Multiplier,
        weights: &Weights,
        rows: usize,
    ) -> ggml_status {
        let size = |it: &ggml_tensor| (it.ne[0] * it.ne[1]) as usize;
        // SAFETY: both are of 32-bit floats and without gaps.
        let (numbers, products) = unsafe {
            (
                slice::from_raw_parts(self.numbers.data.cast(), size(self.numbers)),
                slice::from_raw_parts_mut(self.products.data.cast(), size(self.products)),
            )
        };
        let [inputs, all, ..] = self.numbers.ne.map(|it| it as usize);
        let outputs = self.products.ne[0] as usize;
        let unread = if self.is_odds() { all.saturating_sub(rows.max(1)) } else { 0 };
        let (numbers, products) = (&numbers[unread * inputs..], &mut products[unread * outputs..]);
        if multiplier.multiply(numbers, weights, products).is_err() {
            return FAILED;
        }
        if self.is_odds() {
            IN_USE.with_borrow_mut(|it| {
                if let Some((_, odds)) = it {
                    odds.clear();
                    odds.extend_from_slice(products);
                }
            });
        }
        SUCCESS
    }
}

/// Every model of whisper knows more tokens than this, and has no other matrix with so many rows.
const VOCABULARY_MIN: i64 = 50_000;

/// Weights by where they were loaded to.
type ByPlace = HashMap<usize, Arc<Weights>>;

/// The rounded weights of one model, for all who read with it: made at the first use, and kept as long as this is. It
/// must not be kept longer than its model.
pub struct Rounded {
    weights: Mutex<ByPlace>,
    /// Inputs whose weights are rounded together.
    block: usize,
}

impl Rounded {
    /// Of a model as wide as that: the numbers that a token is to it.
    pub fn new(width: usize) -> Self {
        Self { weights: Mutex::default(), block: block_for(width) }
    }

    /// Whether anything has been computed with them: not where the products are ggml's own.
    pub fn is_used(&self) -> bool {
        !self.weights.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn at(&self, place: usize, make: impl FnOnce() -> Weights) -> Arc<Weights> {
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(weights.entry(place).or_insert_with(|| Arc::new(make())))
    }
}

/// How whisper computes on one thread.
#[derive(Clone)]
pub struct Means {
    /// Without, ggml computes all of it by itself.
    pub rounded: Option<Arc<Rounded>>,
    /// Once it is set, whisper fails within milliseconds.
    pub stop: Arc<AtomicBool>,
    /// Of so many tokens, the newest that the decoder is given at once, the odds of what follows are kept; of others
    /// they are not even computed. One at least.
    pub rows: usize,
}

/// Does `work`, in which whisper computes on this thread and by these means. Returns the odds of what follows, row by
/// row, of the last step of the decoder; nothing where the products are ggml's own.
pub fn computing<T>(means: Means, work: impl FnOnce() -> T) -> (T, Vec<f32>) {
    let before = IN_USE.replace(Some((means, Vec::new())));
    let done = work();
    let odds = IN_USE.replace(before).map(|it| it.1).unwrap_or_default();
    (done, odds)
}

thread_local! {
    static IN_USE: RefCell<Option<(Means, Vec<f32>)>> = const { RefCell::new(None) };

    /// rten-gemm would share out its work among threads; with this it does all of it on the one it is called on,
    /// as an utterance has one thread.
    static ALONE: Option<ThreadPool> =
        ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
}

/// What one state of whisper computes with.
struct Work {
    multiplier: Multiplier,
    /// A state keeps its model, so nothing else comes to lie in these places.
    weights: ByPlace,
}

impl Work {
    /// # Safety
    /// `product` has been made from a graph that is being computed.
    unsafe fn compute(&mut self, product: &Product<'_>) -> ggml_status {
        let Self { multiplier, weights } = self;
        let means = IN_USE.with_borrow(|it| it.as_ref().map(|it| it.0.clone()));
        if means.as_ref().is_some_and(|it| it.stop.load(Ordering::Relaxed)) {
            return STOPPED;
        }
        let rows = means.as_ref().map_or(1, |it| it.rows);
        let rounded = means.and_then(|it| it.rounded);
        let block = rounded.as_ref().map_or_else(|| block_for(0), |it| it.block);
        let place = product.weights.data as usize;
        let weights = weights.entry(place).or_insert_with(|| {
            // SAFETY: weights have been loaded before anything is computed.
            let matrix = unsafe { product.matrix() };
            let make = || multiplier.weights(product.weights.ne[0] as usize, block, matrix);
            match rounded {
                Some(rounded) => rounded.at(place, make),
                None => Arc::new(make()),
            }
        });
        // SAFETY: ggml computes a graph in order, and on one thread.
        unsafe { product.compute(multiplier, weights, rows) }
    }
}

extern "C" fn compute(backend: ggml_backend_t, graph: *mut ggml_cgraph) -> ggml_status {
    ALONE.with(|_| ());
    // SAFETY: ggml gives us a backend of ours, on one thread at a time, and a graph of which we said that we take it.
    unsafe {
        let work = &mut (*backend.cast::<Backend>()).work;
        for it in 0..ggml_graph_n_nodes(graph) {
            let status = match Node::of(ggml_graph_node(graph, it)) {
                Some(Node::Product(it)) => work.compute(&it),
                Some(Node::Function(it)) => {
                    it.compute();
                    SUCCESS
                }
                None => SUCCESS, // A view of another, of which nothing is to be computed.
            };
            if status != SUCCESS {
                return status;
            }
        }
    }
    SUCCESS
}

extern "C" fn takes(_: ggml_backend_dev_t, node: *const ggml_tensor) -> bool {
    let is_wanted =
        IN_USE.with_borrow(|it| it.as_ref().is_none_or(|(means, _)| means.rounded.is_some()));
    // SAFETY: ggml asks about nodes of its graphs.
    is_wanted && unsafe { Node::of(node) }.is_some()
}

extern "C" fn begin(_: ggml_backend_dev_t, _: *const c_char) -> ggml_backend_t {
    let Some(multiplier) = Multiplier::new() else {
        return ptr::null_mut(); // Which ggml takes for a failure, and goes on without.
    };
    let work = Work { multiplier, weights: HashMap::new() };
    let backend = Backend {
        guid: &GUID,
        name: backend_name,
        end,
        tensors_and_plans: [None; 8],
        compute,
        events_and_order: [None; 3],
        device: &DEVICE,
        work: Box::new(work),
    };
    Box::into_raw(Box::new(backend)).cast()
}

extern "C" fn end(backend: ggml_backend_t) {
    // SAFETY: it was made by `begin`, and ggml ends it once.
    drop(unsafe { Box::from_raw(backend.cast::<Backend>()) });
}

extern "C" fn properties(_: ggml_backend_dev_t, to: *mut ggml_backend_dev_props) {
    // SAFETY: ggml has room for it; of plain numbers and pointers noughts are a value.
    unsafe {
        to.write(std::mem::zeroed());
        (*to).name = NAME.as_ptr();
        (*to).description = NAME.as_ptr();
        (*to).type_ = BESIDE_THE_CPU;
    }
}

extern "C" fn memory(_: ggml_backend_dev_t, free: *mut usize, total: *mut usize) {
    // SAFETY: ggml has room for both.
    unsafe {
        free.write(0);
        total.write(0);
    }
}

extern "C" fn kind(_: ggml_backend_dev_t) -> ggml_backend_dev_type {
    BESIDE_THE_CPU
}

extern "C" fn buffers(_: ggml_backend_dev_t) -> ggml_backend_buffer_type_t {
    // SAFETY: a constant of ggml.
    unsafe { ggml_backend_cpu_buffer_type() }
}

extern "C" fn takes_buffers(_: ggml_backend_dev_t, kind: ggml_backend_buffer_type_t) -> bool {
    // SAFETY: ggml asks about buffers of its own.
    unsafe { ggml_backend_buft_is_host(kind) }
}

extern "C" fn registry_name(_: ggml_backend_reg_t) -> *const c_char {
    NAME.as_ptr()
}

extern "C" fn device_name(_: ggml_backend_dev_t) -> *const c_char {
    NAME.as_ptr()
}

extern "C" fn backend_name(_: ggml_backend_t) -> *const c_char {
    NAME.as_ptr()
}

extern "C" fn devices(_: ggml_backend_reg_t) -> usize {
    1
}

extern "C" fn device(_: ggml_backend_reg_t, _: usize) -> ggml_backend_dev_t {
    ptr::from_ref(&DEVICE).cast_mut().cast()
}

/// What ggml may ask for and we do not have; it looks whether it is there.
type Absent = Option<extern "C" fn()>;

/// `ggml_backend_reg`.
#[repr(C)]
struct Registry {
    /// `GGML_BACKEND_API_VERSION`
    api_version: c_int,
    name: extern "C" fn(ggml_backend_reg_t) -> *const c_char,
    devices: extern "C" fn(ggml_backend_reg_t) -> usize,
    device: extern "C" fn(ggml_backend_reg_t, usize) -> ggml_backend_dev_t,
    functions: Absent,
    context: Option<&'static ()>,
}

static REGISTRY: Registry = Registry {
    api_version: 2,
    name: registry_name,
    devices,
    device,
    functions: None,
    context: None,
};

/// `ggml_backend_device`.
#[repr(C)]
struct Device {
    name: extern "C" fn(ggml_backend_dev_t) -> *const c_char,
    description: extern "C" fn(ggml_backend_dev_t) -> *const c_char,
    memory: extern "C" fn(ggml_backend_dev_t, *mut usize, *mut usize),
    kind: extern "C" fn(ggml_backend_dev_t) -> ggml_backend_dev_type,
    properties: extern "C" fn(ggml_backend_dev_t, *mut ggml_backend_dev_props),
    begin: extern "C" fn(ggml_backend_dev_t, *const c_char) -> ggml_backend_t,
    buffers: extern "C" fn(ggml_backend_dev_t) -> ggml_backend_buffer_type_t,
    host_buffers: Absent,
    buffer_from_pointer: Absent,
    takes: extern "C" fn(ggml_backend_dev_t, *const ggml_tensor) -> bool,
    takes_buffers: extern "C" fn(ggml_backend_dev_t, ggml_backend_buffer_type_t) -> bool,
    takes_from_elsewhere: Absent,
    events: [Absent; 3],
    registry: &'static Registry,
    context: Option<&'static ()>,
}

static DEVICE: Device = Device {
    name: device_name,
    description: device_name,
    memory,
    kind,
    properties,
    begin,
    buffers,
    host_buffers: None,
    buffer_from_pointer: None,
    takes,
    takes_buffers,
    takes_from_elsewhere: None,
    events: [None; 3],
    registry: &REGISTRY,
    context: None,
};

/// `ggml_backend`.
#[repr(C)]
struct Backend {
    guid: &'static ggml_guid,
    name: extern "C" fn(ggml_backend_t) -> *const c_char,
    end: extern "C" fn(ggml_backend_t),
    tensors_and_plans: [Absent; 8],
    compute: extern "C" fn(ggml_backend_t, *mut ggml_cgraph) -> ggml_status,
    events_and_order: [Absent; 3],
    device: &'static Device,
    /// ggml's `context`.
    work: Box<Work>,
}

/// Any sixteen bytes that no other backend has.
static GUID: ggml_guid = *b"vuoro whole int8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ggml_that_is_linked_is_the_one_whose_types_are_here() {
        // SAFETY: a text that is always there.
        let linked = unsafe { CStr::from_ptr(ggml_version()) };
        assert_eq!(linked, VERSION, "compare the types here with its ggml-backend-impl.h");
        assert_eq!(multiply_in_eight_bits(), Multiplier::new().is_some());
    }
    /// A row of numbers for ggml, or two.
    fn tensor(numbers: &mut [f32], length: i64) -> ggml_tensor {
        // SAFETY: of plain numbers and pointers noughts are a value.
        let mut it: ggml_tensor = unsafe { std::mem::zeroed() };
        let rows = numbers.len() as i64 / length;
        it.ne = [length, rows, 1, 1];
        it.nb = [4, 4 * length as usize, 4 * numbers.len(), 4 * numbers.len()];
        (it.type_, it.data) = (F32, numbers.as_mut_ptr().cast());
        it
    }

    fn results_of(op: u32, parameter: i32, numbers: &[f32], length: i64) -> Vec<f32> {
        let (mut from, mut to) = (numbers.to_vec(), vec![f32::NAN; numbers.len()]);
        for is_in_place in [false, true] {
            let mut source = tensor(&mut from, length);
            let mut results = tensor(&mut to, length);
            (results.op, results.op_params[0], results.src[0]) = (op, parameter, &raw mut source);
            if is_in_place {
                results.data = source.data;
            }
            // SAFETY: tensors of ggml, as it would have made them.
            match unsafe { Node::of(&results) } {
                // SAFETY: their numbers are ours.
                Some(Node::Function(it)) => unsafe { it.compute() },
                _ => panic!("not taken"),
            }
        }
        assert_eq!(from, to, "in place and apart");
        to
    }

    #[test]
    fn functions_are_those_that_whisper_was_trained_with() {
        let numbers: Vec<f32> = (-40..40).map(|it| it as f32 * 0.1).collect();
        let got = results_of(OF_EACH, GELU as i32, &numbers, 80);
        for (it, got) in numbers.iter().zip(&got) {
            // Within what ggml's own, a table of 16 bits by tanh, is off.
            let tanh = (0.797_884_6 * it * (1.0 + 0.044_715 * it * it)).tanh();
            assert!((0.5 * it * (1.0 + tanh) - got).abs() < 2e-3, "{it}: {got}");
        }
        let got = results_of(SOFTMAX, 0.5_f32.to_bits() as i32, &numbers, 40);
        for (row, got) in numbers.chunks(40).zip(got.chunks(40)) {
            let all: f32 = row.iter().map(|it| (it * 0.5).exp()).sum();
            for (it, got) in row.iter().zip(got) {
                assert!(((it * 0.5).exp() / all - got).abs() < 1e-6, "{it}: {got}");
            }
        }
    }

    #[test]
    fn what_is_masked_or_another_function_is_left_to_ggml() {
        let (mut from, mut to) = ([0.0; 8], [0.0; 8]);
        let (mut source, mut results) = (tensor(&mut from, 8), tensor(&mut to, 8));
        let mask = source;
        results.src[0] = &raw mut source;
        // SAFETY: tensors of ggml, as it would have made them.
        let is_taken = |it: &ggml_tensor| unsafe { Node::of(it) }.is_some();
        results.op = SOFTMAX;
        assert!(is_taken(&results));
        results.src[1] = (&raw const mask).cast_mut();
        assert!(!is_taken(&results));
        results.src[1] = ptr::null_mut();
        results.op = OF_EACH;
        assert!(!is_taken(&results));
        results.op_params[0] = GELU as i32;
        assert!(is_taken(&results));
        results.type_ = 1;
        assert!(!is_taken(&results));
    }
}
