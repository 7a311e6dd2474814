/* A fake libnvidia-ml.so.1: what real programs load where no driver is.
 *
 *   cc -shared -fPIC -O2 -o libnvidia-ml.so.1 fake_nvml.c && LD_LIBRARY_PATH=. nvitop-exporter
 *
 * It answers at once and always the same but for counters, which grow with time. What is not here is
 * missing for the caller too (NVML_ERROR_FUNCTION_NOT_FOUND). Layouts are those of nvml.h.
 *
 *   FAKE_NVML_GPUS=8    how many GPUs
 *   FAKE_NVML_LINKS=0   NVLinks of each
 *   FAKE_NVML_LOST=2:3  GPU 2 is lost from its third reading of memory on
 *   FAKE_NVML_XID=3:79  GPU 3 reports XID 79 once
 *   FAKE_NVML_USED=1    GPU memory in use, in GiB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, TIMEOUT = 10, LOST = 15 };
enum { T_DOUBLE = 0, T_UINT = 1, T_ULL = 3 };
enum { MOST = 16 };
#define GIB (1ULL << 30)
#define ALL_LINKS 0xFFFFFFFFu

typedef unsigned long long ull;
typedef struct { int number; int readings; } Gpu;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { ull total, free, used; } Memory;
typedef struct { unsigned version; ull total, reserved, free, used; } MemoryV2;
typedef struct {
    char legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
} Pci;
typedef struct {
    unsigned field, scope;
    long long timestamp, latency;
    int type, code;
    union { double real; unsigned narrow; ull wide; } value;
} Field;
typedef struct { unsigned version, supported; } GpmSupport;
typedef struct { unsigned id; int code; double value; const char *names[3]; } GpmMetric;
typedef struct { unsigned version, count; void *first, *second; GpmMetric metrics[]; } GpmRequest;
typedef struct { Gpu *device; ull type, data; unsigned instance, compute; } Event;
typedef struct { int registered[MOST]; } EventSet;

static Gpu gpus[MOST];
static int users, xid_told;
static struct timespec began;

static int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

/* The second number of "2:3", where the first is `number`; else -1. */
static int fault(const char *name, int number) {
    const char *text = getenv(name), *colon = text ? strchr(text, ':') : NULL;
    return colon && atoi(text) == number ? atoi(colon + 1) : -1;
}

static double passed(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) * 1e-9;
}

static int answers(const Gpu *gpu) {
    if (!users) return UNINITIALIZED;
    int from = fault("FAKE_NVML_LOST", gpu->number);
    return from >= 0 && gpu->readings >= from ? LOST : OK;
}

#define ANSWER(gpu, statement) do { int code = answers(gpu); if (!code) { statement; } return code; } while (0)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (!users++) {
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (int i = 0; i < MOST; i++) gpus[i] = (Gpu){i, 0};
    }
    return OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return users ? (users--, OK) : UNINITIALIZED; }
const char *nvmlErrorString(int code) { (void)code; return "an error of the fake"; }

static int copied(char *to, unsigned size, const char *text) {
    snprintf(to, size, "%s", text);
    return users ? OK : UNINITIALIZED;
}
int nvmlSystemGetDriverVersion(char *to, unsigned size) { return copied(to, size, "580.95.05"); }
int nvmlSystemGetNVMLVersion(char *to, unsigned size) { return copied(to, size, "13.580.95.05"); }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = 13000; return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return OK; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = (unsigned)setting("FAKE_NVML_GPUS", 8);
    return users ? OK : UNINITIALIZED;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Gpu **gpu) {
    if (index >= (unsigned)setting("FAKE_NVML_GPUS", 8)) return INVALID;
    ANSWER(&gpus[index], *gpu = &gpus[index]);
}
int nvmlDeviceGetIndex(Gpu *gpu, unsigned *index) { ANSWER(gpu, *index = (unsigned)gpu->number); }
int nvmlDeviceGetUUID(Gpu *gpu, char *to, unsigned size) {
    ANSWER(gpu, snprintf(to, size, "GPU-00000000-0000-4000-8000-%012d", gpu->number));
}
int nvmlDeviceGetName(Gpu *gpu, char *to, unsigned size) {
    ANSWER(gpu, snprintf(to, size, "NVIDIA H100 80GB HBM3"));
}
int nvmlDeviceGetPciInfo_v3(Gpu *gpu, Pci *pci) {
    ANSWER(gpu, {
        memset(pci, 0, sizeof *pci);
        pci->bus = 16 + (unsigned)gpu->number;
        snprintf(pci->legacy, sizeof pci->legacy, "0000:%02X:00.0", pci->bus);
        snprintf(pci->id, sizeof pci->id, "00000000:%02X:00.0", pci->bus);
    });
}
int nvmlDeviceGetCudaComputeCapability(Gpu *gpu, int *major, int *minor) {
    ANSWER(gpu, { *major = 9; *minor = 0; });
}
int nvmlDeviceGetMigMode(Gpu *gpu, unsigned *now, unsigned *next) { ANSWER(gpu, *now = *next = 0); }
int nvmlDeviceGetMaxMigDeviceCount(Gpu *gpu, unsigned *count) { ANSWER(gpu, *count = 0); }
int nvmlDeviceIsMigDeviceHandle(Gpu *gpu, unsigned *is) { ANSWER(gpu, *is = 0); }

static ull used_bytes(void) { return (ull)setting("FAKE_NVML_USED", 60) * GIB; }
int nvmlDeviceGetMemoryInfo(Gpu *gpu, Memory *memory) {
    gpu->readings++;
    ull used = used_bytes() + GIB;
    ANSWER(gpu, *memory = ((Memory){80 * GIB, 80 * GIB - used, used}));
}
int nvmlDeviceGetMemoryInfo_v2(Gpu *gpu, MemoryV2 *memory) {
    gpu->readings++;
    ull used = used_bytes();
    ANSWER(gpu, *memory = ((MemoryV2){memory->version, 80 * GIB, GIB, 79 * GIB - used, used}));
}
int nvmlDeviceGetBAR1MemoryInfo(Gpu *gpu, Memory *memory) {
    ANSWER(gpu, *memory = ((Memory){128 * GIB, 127 * GIB, GIB}));
}
int nvmlDeviceGetUtilizationRates(Gpu *gpu, Utilization *rates) {
    ANSWER(gpu, *rates = ((Utilization){97, 41}));
}
int nvmlDeviceGetEncoderUtilization(Gpu *gpu, unsigned *percent, unsigned *period) {
    ANSWER(gpu, { *percent = 0; *period = 100000; });
}
int nvmlDeviceGetDecoderUtilization(Gpu *gpu, unsigned *percent, unsigned *period) {
    ANSWER(gpu, { *percent = 0; *period = 100000; });
}
int nvmlDeviceGetPowerUsage(Gpu *gpu, unsigned *milliwatts) { ANSWER(gpu, *milliwatts = 305000); }
int nvmlDeviceGetEnforcedPowerLimit(Gpu *gpu, unsigned *milliwatts) { ANSWER(gpu, *milliwatts = 700000); }
int nvmlDeviceGetPowerManagementLimit(Gpu *gpu, unsigned *milliwatts) { ANSWER(gpu, *milliwatts = 700000); }
int nvmlDeviceGetTemperature(Gpu *gpu, unsigned sensor, unsigned *degrees) {
    (void)sensor;
    ANSWER(gpu, *degrees = 61);
}
int nvmlDeviceGetFanSpeed(Gpu *gpu, unsigned *percent) { (void)gpu; (void)percent; return NOT_SUPPORTED; }
int nvmlDeviceGetClockInfo(Gpu *gpu, unsigned clock, unsigned *mhz) { (void)clock; ANSWER(gpu, *mhz = 1755); }
int nvmlDeviceGetMaxClockInfo(Gpu *gpu, unsigned clock, unsigned *mhz) { (void)clock; ANSWER(gpu, *mhz = 1980); }
int nvmlDeviceGetCurrentClocksEventReasons(Gpu *gpu, ull *bits) { ANSWER(gpu, *bits = 0x4); }
int nvmlDeviceGetPerformanceState(Gpu *gpu, unsigned *state) { ANSWER(gpu, *state = 0); }
int nvmlDeviceGetTotalEccErrors(Gpu *gpu, unsigned kind, unsigned counter, ull *count) {
    (void)kind; (void)counter;
    ANSWER(gpu, *count = 0);
}
int nvmlDeviceGetCurrPcieLinkGeneration(Gpu *gpu, unsigned *generation) { ANSWER(gpu, *generation = 5); }
int nvmlDeviceGetCurrPcieLinkWidth(Gpu *gpu, unsigned *lanes) { ANSWER(gpu, *lanes = 16); }
/* A real driver measures for 20 ms here; asleep that costs no processor time, so we answer at once. */
int nvmlDeviceGetPcieThroughput(Gpu *gpu, unsigned counter, unsigned *kib) {
    (void)counter;
    ANSWER(gpu, *kib = 1234567);
}

static int none(Gpu *gpu, unsigned *count) { ANSWER(gpu, *count = 0); }
int nvmlDeviceGetComputeRunningProcesses_v3(Gpu *gpu, unsigned *count, void *to) { (void)to; return none(gpu, count); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(Gpu *gpu, unsigned *count, void *to) { (void)to; return none(gpu, count); }
int nvmlDeviceGetMPSComputeRunningProcesses_v3(Gpu *gpu, unsigned *count, void *to) { (void)to; return none(gpu, count); }
int nvmlDeviceGetProcessUtilization(Gpu *gpu, void *to, unsigned *count, ull since) {
    (void)to; (void)since;
    return none(gpu, count);
}

static void narrow(Field *field, unsigned value) { field->type = T_UINT; field->value.narrow = value; }
static void wide(Field *field, double value) { field->type = T_ULL; field->value.wide = (ull)value; }

static void answer_field(Field *field) {
    int links = setting("FAKE_NVML_LINKS", 0);
    field->code = OK;
    switch (field->field) {
    case 82: narrow(field, 55); return;                   /* memory temperature */
    case 83: wide(field, 310e3 * passed()); return;       /* energy, mJ */
    case 91: narrow(field, (unsigned)links); return;
    case 94: narrow(field, 3); return;                    /* PCIe replays */
    case 144: case 145: case 230: narrow(field, 0); return; /* remapping, recovery action */
    case 186: narrow(field, 310000); return;              /* power, mW */
    case 74: case 76: case 269: case 270: case 271: wide(field, 1e6 * passed()); return;
    case 197: case 198: wide(field, 1e9 * passed()); return; /* PCIe bytes */
    case 138: case 139:                                   /* NVLink, KiB */
        if (links && (field->scope == ALL_LINKS || field->scope < (unsigned)links)) {
            wide(field, 1e7 * passed());
            return;
        }
    }
    field->code = NOT_SUPPORTED;
}
int nvmlDeviceGetFieldValues(Gpu *gpu, int count, Field *fields) {
    ANSWER(gpu, for (int i = 0; i < count; i++) answer_field(&fields[i]));
}

int nvmlEventSetCreate(EventSet **set) { return (*set = calloc(1, sizeof **set)) ? OK : INVALID; }
int nvmlEventSetFree(EventSet *set) { free(set); return OK; }
int nvmlDeviceRegisterEvents(Gpu *gpu, ull types, EventSet *set) {
    ANSWER(gpu, set->registered[gpu->number] = (types & 8) != 0);
}
int nvmlEventSetWait_v2(EventSet *set, Event *event, unsigned milliseconds) {
    for (int i = 0; i < MOST && !xid_told; i++) {
        int xid = fault("FAKE_NVML_XID", i);
        if (xid >= 0 && set->registered[i]) {
            xid_told = 1;
            *event = (Event){&gpus[i], 8, (ull)xid, ALL_LINKS, ALL_LINKS};
            return users ? OK : UNINITIALIZED;
        }
    }
    usleep(milliseconds * 1000);
    return users ? TIMEOUT : UNINITIALIZED;
}

int nvmlGpmQueryDeviceSupport(Gpu *gpu, GpmSupport *support) { ANSWER(gpu, support->supported = 1); }
int nvmlGpmSampleAlloc(void **sample) { return (*sample = calloc(1, 4096)) ? OK : INVALID; }
int nvmlGpmSampleFree(void *sample) { free(sample); return OK; }
int nvmlGpmSampleGet(Gpu *gpu, void *sample) { ANSWER(gpu, *(double *)sample = passed()); }
int nvmlGpmMetricsGet(GpmRequest *request) {
    for (unsigned i = 0; i < request->count; i++) {
        unsigned id = request->metrics[i].id;
        request->metrics[i].code = OK;
        request->metrics[i].value = id == 2 ? 88.0 : id == 5 ? 42.0 : 63.0;
    }
    return *(double *)request->first < *(double *)request->second ? OK : INVALID;
}
