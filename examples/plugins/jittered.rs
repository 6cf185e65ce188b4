// SPDX-License-Identifier: Apache-2.0
//
// backoff/jittered: a plugin in Rust, with the standard library alone.  Each delay is anywhere between the
// shortest and the longest one ("full jitter"):
//
//   [backoff:scattered]
//   plugin=jittered
//   min=50ms
//   max=5s
//
//   rustc --edition 2021 --crate-type cdylib -O jittered.rs -o backoff-jittered.so
//   cenote test-plugin ./backoff-jittered.so
//
// The structs mirror what is used of <cenote/plugin.h>.  They stay right for ABI major 1, which grows at the ends of
// structs alone.  A panic must not cross the boundary: it is caught there.

use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

// ------------------------------------------------- <cenote/plugin.h>, as far as it is used

const MAGIC: u32 = 0x4345_4e4f;
const ABI_MAJOR: u16 = 1;
const ABI_MINOR: u16 = 0;
const KIND_BACKOFF: u32 = 1;
const OPTION_DURATION: u32 = 5;

#[repr(C)]
struct OptionRow {
    name: *const c_char,
    kind: u32,
    flags: u32,
    default_text: *const c_char,
    min: *const c_char,
    max: *const c_char,
    choices: *const c_char,
    summary: *const c_char,
}

#[repr(C)]
struct Value {
    is_set: u8,
    number: i64,
    real: f64,
    text: *const c_char,
    list: *const *const c_char,
}

#[repr(C)]
struct Options {
    struct_size: u32,
    n_values: u32,
    value_size: u32,
    reserved: u32,
    values: *const Value,
    instance: *const c_char,
}

#[repr(C)]
struct Fault {
    opaque: [u8; 0],
}

/// To the last slot that is used; the host's own table is longer.
#[repr(C)]
struct Host {
    struct_size: u32,
    abi_minor: u32,
    log: unsafe extern "C" fn(*const Host, u32, *const c_char),
    now_us: unsafe extern "C" fn(*const Host) -> i64,
    random: unsafe extern "C" fn(*const Host) -> u64,
    fail: unsafe extern "C" fn(*const Host, *mut Fault, *const c_char),
}

#[repr(C)]
struct BackoffOps {
    struct_size: u32,
    flags: u32,
    create: unsafe extern "C" fn(*const Host, *const Options, *mut Fault) -> *mut c_void,
    next: unsafe extern "C" fn(*mut c_void) -> i64,
    reset: Option<unsafe extern "C" fn(*mut c_void)>,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
struct Plugin {
    magic: u32,
    abi_major: u16,
    abi_minor: u16,
    struct_size: u32,
    kind: u32,
    name: *const c_char,
    version: *const c_char,
    summary: *const c_char,
    license: *const c_char,
    options: *const OptionRow,
    n_options: u32,
    option_size: u32,
    ops: *const BackoffOps,
}

#[repr(C, align(4))]
struct Note {
    owner_size: u32,
    payload_size: u32,
    kind: u32,
    owner: [u8; 8],
    abi_major: u16,
    abi_minor: u16,
    plugin_kind: u32,
    name: [u8; 48],
}

/// A constant of the plugin's: its pointers lead to constants.
#[repr(transparent)]
struct Constant<T>(T);
unsafe impl<T> Sync for Constant<T> {}

/// A C string; TEXT ends with NUL.
const fn c(text: &'static str) -> *const c_char {
    text.as_ptr() as *const c_char
}

// ------------------------------------------------------------------------ what it does

struct Jittered {
    host: *const Host,
    min_us: u64,
    max_us: u64,
}

impl Jittered {
    fn new(host: *const Host, min_us: i64, max_us: i64) -> Result<Jittered, &'static str> {
        if min_us > max_us {
            return Err("min is more than max\0");
        }
        Ok(Jittered { host, min_us: min_us as u64, max_us: max_us as u64 })
    }

    fn next(&self) -> i64 {
        let luck = unsafe { ((*self.host).random)(self.host) };

        (self.min_us + luck % (self.max_us - self.min_us + 1)) as i64
    }
}

// ------------------------------------------------------------------------ the boundary

static OPTIONS: Constant<[OptionRow; 2]> = Constant([
    duration("min\0", "50ms\0", "The shortest delay\0"),
    duration("max\0", "5s\0", "The longest delay\0"),
]);

const fn duration(name: &'static str, default_text: &'static str, summary: &'static str) -> OptionRow {
    OptionRow {
        name: c(name),
        kind: OPTION_DURATION,
        flags: 0,
        default_text: c(default_text),
        min: c("0\0"),
        max: c("24h\0"),
        choices: null(),
        summary: c(summary),
    }
}

unsafe fn value(options: *const Options, row: usize) -> *const Value {
    let first = (*options).values as *const u8;

    first.add(row * (*options).value_size as usize) as *const Value
}

unsafe extern "C" fn create(host: *const Host, options: *const Options, fault: *mut Fault) -> *mut c_void {
    let made = catch_unwind(|| Jittered::new(host, (*value(options, 0)).number, (*value(options, 1)).number).map(Box::new));

    match made {
        Ok(Ok(state)) => return Box::into_raw(state) as *mut c_void,
        Ok(Err(reason)) => ((*host).fail)(host, fault, c(reason)),
        Err(_) => ((*host).fail)(host, fault, c("it panicked\0")),
    }
    std::ptr::null_mut()
}

/// -1 is what the host takes as a fault of the plugin's.
unsafe extern "C" fn next(state: *mut c_void) -> i64 {
    let state = &*(state as *const Jittered);

    catch_unwind(AssertUnwindSafe(|| state.next())).unwrap_or(-1)
}

unsafe extern "C" fn destroy(state: *mut c_void) {
    let _ = catch_unwind(|| drop(Box::from_raw(state as *mut Jittered)));
}

static OPS: BackoffOps = BackoffOps {
    struct_size: std::mem::size_of::<BackoffOps>() as u32,
    flags: 0,
    create,
    next,
    reset: None,
    destroy: Some(destroy),
};

static PLUGIN: Constant<Plugin> = Constant(Plugin {
    magic: MAGIC,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    struct_size: std::mem::size_of::<Plugin>() as u32,
    kind: KIND_BACKOFF,
    name: c("jittered\0"),
    version: c("1.0.0\0"),
    summary: c("Waits for anything between the shortest and the longest delay\0"),
    license: c("Apache-2.0\0"),
    options: &OPTIONS.0 as *const OptionRow,
    n_options: 2,
    option_size: std::mem::size_of::<OptionRow>() as u32,
    ops: &OPS,
});

const fn padded(name: &[u8]) -> [u8; 48] {
    let mut out = [0; 48];
    let mut i = 0;

    while i < name.len() {
        out[i] = name[i];
        i += 1;
    }
    out
}

#[used]
#[link_section = ".note.cenote"]
static NOTE: Note = Note {
    owner_size: 7,
    payload_size: 56,
    kind: 1,
    owner: *b"Cenote\0\0",
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    plugin_kind: KIND_BACKOFF,
    name: padded(b"jittered"),
};

#[no_mangle]
extern "C" fn cenote_plugin_query(_host_abi: u32) -> *const c_void {
    &PLUGIN as *const Constant<Plugin> as *const c_void
}
