/*
 * Deltas out of the library's structs: the part of the package where time is spent, which `_pure.py` does
 * by ctypes. It calls the library through addresses that it is given, so it is linked with nothing.
 *
 * An object is made by its type's allocator and filled through the descriptors of its slots, which is
 * what the class's own `__init__` comes to.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <deltawire.h>

#define CAPACITY 64
#define KINDS DW_DELTA_DONE
#define MOST_FIELDS 6

/* The slots of each class, in the order in which `make` fills them. */
static const char *const FIELDS[KINDS][MOST_FIELDS + 1] = {
    { "id", "model", "role" },
    { "text", "choice" },
    { "text", "choice" },
    { "text", "choice" },
    { "id", "name", "index", "choice" },
    { "fragment", "index", "choice", "whole" },
    { "id", "name", "index", "choice" },
    { "fragment", "index", "choice", "whole" },
    { "reason", "raw", "choice" },
    { "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_creation_tokens",
      "reasoning_tokens" },
    { "error_kind", "message", "code", "transient", "raw" },
    { "event", "raw" },
    { NULL },
};

static PyTypeObject *types[KINDS];
static PyObject *slots[KINDS][MOST_FIELDS];
static PyObject *finish_reasons, *error_kinds;

static dw_status (*next_batch)(dw_decoder *, dw_input *, dw_delta *, size_t, size_t *);
static dw_status (*finish)(dw_decoder *, dw_delta *);
static dw_status (*stream_next_batch)(dw_stream *, dw_delta *, size_t, size_t *);

static PyObject *text(dw_slice slice) {
    return PyUnicode_DecodeUTF8((const char *)slice.ptr, (Py_ssize_t)slice.len, "replace");
}

static PyObject *bytes(dw_slice slice) {
    return PyBytes_FromStringAndSize((const char *)slice.ptr, (Py_ssize_t)slice.len);
}

static PyObject *count(const dw_usage *usage, uint32_t which, uint64_t value) {
    if (usage->known & which)
        return PyLong_FromUnsignedLongLong(value);
    Py_RETURN_NONE;
}

static PyObject *name(PyObject *table, uint32_t number) {
    if ((Py_ssize_t)number >= PyTuple_GET_SIZE(table))
        return PyUnicode_FromString("unknown");
    PyObject *found = PyTuple_GET_ITEM(table, number);
    Py_INCREF(found);
    return found;
}

/* The values of a delta's slots, as in FIELDS. Returns how many; those that failed are NULL. */
static int values_of(const dw_delta *delta, PyObject **values) {
    int len = 0;
    switch (delta->kind) {
    case DW_DELTA_START:
        values[len++] = text(delta->id);
        values[len++] = text(delta->model);
        values[len++] = text(delta->role);
        break;
    case DW_DELTA_TEXT:
    case DW_DELTA_REASONING:
    case DW_DELTA_REFUSAL:
        values[len++] = text(delta->text);
        values[len++] = PyLong_FromUnsignedLong(delta->choice);
        break;
    case DW_DELTA_TOOL_CALL_START:
    case DW_DELTA_SERVER_TOOL_CALL_START:
        values[len++] = text(delta->id);
        values[len++] = text(delta->name);
        values[len++] = PyLong_FromLong(delta->index);
        values[len++] = PyLong_FromUnsignedLong(delta->choice);
        break;
    case DW_DELTA_TOOL_CALL_ARGUMENTS:
    case DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS:
        values[len++] = text(delta->text);
        values[len++] = PyLong_FromLong(delta->index);
        values[len++] = PyLong_FromUnsignedLong(delta->choice);
        values[len++] = PyBool_FromLong(delta->flags & DW_DELTA_WHOLE);
        break;
    case DW_DELTA_FINISH:
        values[len++] = name(finish_reasons, delta->finish_reason);
        values[len++] = text(delta->raw);
        values[len++] = PyLong_FromUnsignedLong(delta->choice);
        break;
    case DW_DELTA_USAGE: {
        const dw_usage *usage = &delta->usage;
        values[len++] = count(usage, DW_USAGE_INPUT_TOKENS, usage->input_tokens);
        values[len++] = count(usage, DW_USAGE_OUTPUT_TOKENS, usage->output_tokens);
        values[len++] = count(usage, DW_USAGE_TOTAL_TOKENS, usage->total_tokens);
        values[len++] = count(usage, DW_USAGE_CACHED_TOKENS, usage->cached_tokens);
        values[len++] = count(usage, DW_USAGE_CACHE_CREATION_TOKENS, usage->cache_creation_tokens);
        values[len++] = count(usage, DW_USAGE_REASONING_TOKENS, usage->reasoning_tokens);
        break;
    }
    case DW_DELTA_ERROR:
        values[len++] = name(error_kinds, delta->error_kind);
        values[len++] = text(delta->text);
        values[len++] = text(delta->code);
        values[len++] = PyBool_FromLong(delta->flags & DW_DELTA_TRANSIENT);
        values[len++] = bytes(delta->raw);
        break;
    case DW_DELTA_OTHER:
        values[len++] = text(delta->name);
        values[len++] = bytes(delta->raw);
        break;
    }
    return len;
}

/* Whether this file knows a delta's kind. Others are newer than it and passed over. */
static int is_known(const dw_delta *delta) {
    return delta->kind >= 1 && delta->kind <= KINDS;
}

/* A new object; NULL with an exception set where that failed. */
static PyObject *make(const dw_delta *delta) {
    PyTypeObject *type = types[delta->kind - 1];
    PyObject **descriptors = slots[delta->kind - 1];
    PyObject *values[MOST_FIELDS];
    int len = values_of(delta, values);
    PyObject *object = type->tp_alloc(type, 0);
    for (int at = 0; at < len; at++) {
        if (object != NULL &&
            (values[at] == NULL || Py_TYPE(descriptors[at])->tp_descr_set(descriptors[at], object,
                                                                         values[at]) < 0))
            Py_CLEAR(object);
        Py_XDECREF(values[at]);
    }
    return object;
}

/* Appends a delta to `out`. Returns 0, or -1 with an exception set. */
static int append(PyObject *out, const dw_delta *delta) {
    if (!is_known(delta))
        return 0;
    PyObject *object = make(delta);
    if (object == NULL)
        return -1;
    int failed = PyList_Append(out, object);
    Py_DECREF(object);
    return failed;
}

static int is_set_up(void) {
    if (stream_next_batch == NULL)
        PyErr_SetString(PyExc_RuntimeError, "setup was not called");
    return stream_next_batch != NULL;
}

PyDoc_STRVAR(read_doc,
             "read(decoder, chunk, pos, out, most, /)\n--\n\n"
             "Appends deltas to the list `out`, until these are `most`, `chunk` is used up or something\n"
             "fails. Returns the library's last status and how far the chunk is used.");

static PyObject *read_chunk(PyObject *self, PyObject *const *args, Py_ssize_t len) {
    (void)self;
    if (len != 5 || !PyList_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "read takes a decoder, a chunk, a number, a list, a number");
        return NULL;
    }
    dw_decoder *decoder = PyLong_AsVoidPtr(args[0]);
    size_t pos = PyLong_AsSize_t(args[2]);
    size_t most = PyLong_AsSize_t(args[4]);
    Py_buffer chunk;
    if (PyErr_Occurred() || !is_set_up() || PyObject_GetBuffer(args[1], &chunk, PyBUF_SIMPLE) < 0)
        return NULL;

    dw_input input = { chunk.buf, (size_t)chunk.len, pos };
    dw_delta deltas[CAPACITY];
    dw_status status = DW_DELTA;
    int failed = 0;
    while (!failed && status > 0 && most > 0) {
        size_t found;
        status = next_batch(decoder, &input, deltas, most < CAPACITY ? most : CAPACITY, &found);
        for (size_t at = 0; status > 0 && at < found && !failed; at++)
            failed = append(args[3], &deltas[at]);
        most -= status > 0 ? found : 0;
    }
    PyBuffer_Release(&chunk);
    return failed ? NULL : Py_BuildValue("in", (int)status, (Py_ssize_t)input.pos);
}

PyDoc_STRVAR(finish_doc, "finish(decoder, out, /)\n--\n\n"
                         "Appends what only the end of the stream shows. Returns 0 or an error.");

static PyObject *finish_stream(PyObject *self, PyObject *const *args, Py_ssize_t len) {
    (void)self;
    if (len != 2 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "finish takes a decoder and a list");
        return NULL;
    }
    dw_decoder *decoder = PyLong_AsVoidPtr(args[0]);
    if (PyErr_Occurred() || !is_set_up())
        return NULL;
    dw_delta delta;
    dw_status status;
    while ((status = finish(decoder, &delta)) > 0)
        if (append(args[1], &delta) < 0)
            return NULL;
    return PyLong_FromLong(status);
}

PyDoc_STRVAR(wait_doc, "wait(stream, out, /)\n--\n\n"
                       "Appends the next delta and all behind it that have come. Returns the library's\n"
                       "status. Other threads run while it waits.");

static PyObject *wait_for_deltas(PyObject *self, PyObject *const *args, Py_ssize_t len) {
    (void)self;
    if (len != 2 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "wait takes a stream and a list");
        return NULL;
    }
    dw_stream *stream = PyLong_AsVoidPtr(args[0]);
    if (PyErr_Occurred() || !is_set_up())
        return NULL;
    dw_delta deltas[CAPACITY];
    size_t found = 0;
    dw_status status;
    Py_BEGIN_ALLOW_THREADS
    status = stream_next_batch(stream, deltas, CAPACITY, &found);
    Py_END_ALLOW_THREADS
    for (size_t at = 0; status > 0 && at < found; at++)
        if (append(args[1], &deltas[at]) < 0)
            return NULL;
    return PyLong_FromLong(status);
}

PyDoc_STRVAR(setup_doc, "setup(kinds, finish_reasons, error_kinds, next_batch, finish, stream_next_batch)\n"
                        "--\n\nTakes the classes, the names and the addresses of functions.");

static PyObject *setup(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *kinds, *reasons, *errors, *addresses[3];
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!O!", &PyTuple_Type, &kinds, &PyTuple_Type, &reasons,
                          &PyTuple_Type, &errors, &PyLong_Type, &addresses[0], &PyLong_Type,
                          &addresses[1], &PyLong_Type, &addresses[2]))
        return NULL;
    if (PyTuple_GET_SIZE(kinds) != KINDS) {
        PyErr_SetString(PyExc_ValueError, "not as many kinds as the header has");
        return NULL;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        PyObject *type = PyTuple_GET_ITEM(kinds, kind);
        if (!PyType_Check(type)) {
            PyErr_SetString(PyExc_TypeError, "a kind is a class");
            return NULL;
        }
        for (int at = 0; FIELDS[kind][at] != NULL; at++) {
            PyObject *slot = PyObject_GetAttrString(type, FIELDS[kind][at]);
            if (slot == NULL)
                return NULL;
            if (Py_TYPE(slot)->tp_descr_set == NULL) {
                Py_DECREF(slot);
                PyErr_Format(PyExc_TypeError, "%s has no slot %s", ((PyTypeObject *)type)->tp_name,
                             FIELDS[kind][at]);
                return NULL;
            }
            Py_XSETREF(slots[kind][at], slot);
        }
        Py_INCREF(type);
        Py_XSETREF(types[kind], (PyTypeObject *)type);
    }
    Py_INCREF(reasons);
    Py_XSETREF(finish_reasons, reasons);
    Py_INCREF(errors);
    Py_XSETREF(error_kinds, errors);
    *(void **)&next_batch = PyLong_AsVoidPtr(addresses[0]);
    *(void **)&finish = PyLong_AsVoidPtr(addresses[1]);
    *(void **)&stream_next_batch = PyLong_AsVoidPtr(addresses[2]);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    { "setup", setup, METH_VARARGS, setup_doc },
    { "read", (PyCFunction)(void (*)(void))read_chunk, METH_FASTCALL, read_doc },
    { "finish", (PyCFunction)(void (*)(void))finish_stream, METH_FASTCALL, finish_doc },
    { "wait", (PyCFunction)(void (*)(void))wait_for_deltas, METH_FASTCALL, wait_doc },
    { NULL, NULL, 0, NULL },
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_speedups", "Deltas out of the library's structs.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__speedups(void) {
    return PyModule_Create(&module);
}
