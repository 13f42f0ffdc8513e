//! Has whisper multiply by its weights in eight bits ([`int8`](crate::speech::engine::int8)): a backend of ggml, the
//! library whisper.cpp computes with, like those for graphics cards. It takes products with weights and nothing
//! else; all else stays with ggml's own code. Never touches what was said.
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
use whisper_rs::whisper_rs_sys::{
    ggml_backend_buffer_get_usage, ggml_backend_buffer_type_t,
    ggml_backend_buffer_usage_GGML_BACKEND_BUFFER_USAGE_WEIGHTS as USED_AS_WEIGHTS,
    ggml_backend_buft_is_host, ggml_backend_cpu_buffer_type, ggml_backend_dev_props,
    ggml_backend_dev_t, ggml_backend_dev_type,
    ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_ACCEL as BESIDE_THE_CPU, ggml_backend_reg_t,
    ggml_backend_register, ggml_backend_t, ggml_cgraph, ggml_get_type_traits, ggml_graph_n_nodes,
    ggml_graph_node, ggml_guid, ggml_is_contiguous, ggml_op_GGML_OP_MUL_MAT as PRODUCT,
    ggml_status, ggml_status_GGML_STATUS_ABORTED as STOPPED,
    ggml_status_GGML_STATUS_FAILED as FAILED, ggml_status_GGML_STATUS_SUCCESS as SUCCESS,
    ggml_tensor, ggml_type_GGML_TYPE_F32 as F32, ggml_version,
};

use crate::speech::engine::int8::{Multiplier, Weights};

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

/// One product in a graph: numbers and their products lie in rows, without gaps.
struct Product<'a> {
    weights: &'a ggml_tensor,
    numbers: &'a ggml_tensor,
    products: &'a ggml_tensor,
}

impl<'a> Product<'a> {
    /// `None` where it is not ours to compute.
    ///
    /// # Safety
    /// `node` is a tensor of ggml, as are those it is made of.
    unsafe fn of(node: *const ggml_tensor) -> Option<Self> {
        // SAFETY: as above; a product always has both.
        unsafe {
            let products = node.as_ref()?;
            if products.op != PRODUCT {
                return None;
            }
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
        let is_odds = VOCABULARY_MIN <= outputs;
        let unread = if is_odds { all.saturating_sub(rows.max(1)) } else { 0 };
        let (numbers, products) = (&numbers[unread * inputs..], &mut products[unread * outputs..]);
        if multiplier.multiply(numbers, weights, products).is_err() {
            return FAILED;
        }
        if is_odds {
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
const VOCABULARY_MIN: usize = 50_000;

/// Weights by where they were loaded to.
type ByPlace = HashMap<usize, Arc<Weights>>;

/// The rounded weights of one model, for all who read with it: made at the first use, and kept as long as this is. It
/// must not be kept longer than its model.
#[derive(Default)]
pub struct Rounded(Mutex<ByPlace>);

impl Rounded {
    /// Whether anything has been computed with them: not where the products are ggml's own.
    pub fn is_used(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn at(&self, place: usize, make: impl FnOnce() -> Weights) -> Arc<Weights> {
        let mut weights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(weights.entry(place).or_insert_with(|| Arc::new(make())))
    }
}

/// How whisper computes on one thread.
#[derive(Clone)]
pub struct Means {
    pub rounded: Arc<Rounded>,
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
        let place = product.weights.data as usize;
        let weights = weights.entry(place).or_insert_with(|| {
            // SAFETY: weights have been loaded before anything is computed.
            let matrix = unsafe { product.matrix() };
            let make = || multiplier.weights(product.weights.ne[0] as usize, matrix);
            match means {
                Some(means) => means.rounded.at(place, make),
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
            if let Some(product) = Product::of(ggml_graph_node(graph, it)) {
                let status = work.compute(&product);
                if status != SUCCESS {
                    return status;
                }
            }
        }
    }
    SUCCESS
}

extern "C" fn takes(_: ggml_backend_dev_t, node: *const ggml_tensor) -> bool {
    // SAFETY: ggml asks about nodes of its graphs.
    unsafe { Product::of(node) }.is_some()
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
}
