/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: model-token [STEPS [SEED]]
 *
 * Random processes use, share, hand over and give back PFs, VFs and other functions of a machine,
 * and every answer of the core is compared with that of the rules (token_rules.h). Steps come in
 * runs of a thousand, each on a machine of its own and with a seed of its own; when an answer
 * differs the run's seed and all its steps are printed.
 *
 * What is no matter of tokens is decided here, in way_is_free() and spoil(): a function is used
 * through its group by one process, or through its cdev by one file, and some requests are made
 * such that they must fail after the token was looked at. A function is not bound or removed while
 * it is in use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/pci/driver.h"
#include "core/vfio/device.h"
#include "tests/model/token_rules.h"
#include "tests/unit/vfio_fixture.h"

#define RUN_STEPS 1000
#define PFS	  3
#define VFS	  3 /* of each PF */
#define PLAIN	  2
#define FUNCTIONS (PFS * (1 + VFS) + PLAIN)
#define TOKENS	  3
#define FILES	  24 /* device files open at a time */
#define SLOT	  64 /* of the log of steps */

/* Descriptors. */
#define FD_CONTAINER 1
#define FD_IOMMUFD   2
#define FD_OTHER     3

enum way { IDLE, BY_GROUP, BY_CDEV };

/* A function, as the rules and as the core know it. Position: PFs, then VFs by PF, then the rest. */
struct function {
	struct token_function rules;
	struct svf_bdf bdf;
	bool exists;
	enum way way;
	unsigned int process;		    /* whose group file it is */
	struct svf_file *group, *container; /* by group */
};

struct open_file {
	struct svf_file *file; /* NULL: free */
	struct svf_file *iommufd;
	struct function *fn;
	unsigned int process;
};

static struct run {
	uint64_t seed, random;
	struct svf_machine *machine;
	struct function functions[FUNCTIONS];
	struct open_file files[FILES];
	void *user;		    /* two pages for arguments */
	unsigned int step, process; /* whose step it is */
	char log[RUN_STEPS][SLOT];
} run;

static const char *const token_texts[TOKENS] = {
	"01234567-89ab-cdef-0123-456789abcdef",
	"01234567-89ab-cdef-0123-456789abcdee",
	"81234567-89ab-cdef-0123-456789abcdef",
};
static const char *const drivers[] = {"vfio-pci", "igb", "nvme", "pci-stub"};

/* --- chance --- */

/* splitmix64: a few lines, and the same everywhere. */
static uint64_t next_random(void)
{
	uint64_t z = run.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(next_random() % n);
}

/* Nothing, one of the tokens, or the right one: by chance alone too few requests would succeed. */
static int any_token(const struct function *f)
{
	const struct token_function *pf = f->rules.pf ? f->rules.pf : &f->rules;
	unsigned int n = below(TOKENS + 4);

	if (n <= TOKENS)
		return (int)n;
	return pf->token == TOKEN_SECRET ? TOKEN_NONE : pf->token;
}

/* --- comparing --- */

static char *log_slot(void)
{
	return run.log[run.step % RUN_STEPS];
}

static void compare(long rules, long core)
{
	if (rules == core)
		return;
	for (unsigned int i = 0; i <= run.step; i++)
		printf("%4u %s\n", i, run.log[i]);
	printf("the rules say %ld, the core %ld; model-token %u %llu runs this again\n", rules,
	       core, RUN_STEPS, (unsigned long long)run.seed);
	exit(1);
}

static struct svf_function *function_of(const struct function *f)
{
	return svf_function_lookup(run.machine, f->bdf);
}

static const char *name_of(const struct function *f)
{
	static char text[SVF_BDF_TEXT_SIZE];

	snprintf(text, sizeof(text), SVF_BDF_FMT, SVF_BDF_ARG(f->bdf));
	return text;
}

/* --- files --- */

static struct open_file *free_file(void)
{
	for (unsigned int i = 0; i < FILES; i++) {
		if (!run.files[i].file)
			return &run.files[i];
	}
	return NULL;
}

static void close_group(struct function *f)
{
	svf_file_close(f->group);
	svf_file_close(f->container);
	f->group = f->container = NULL;
	f->way = IDLE;
}

static void close_file(struct open_file *file)
{
	struct function *f = file->fn;

	svf_file_close(file->file);
	svf_file_close(file->iommufd);
	file->file = file->iommufd = NULL;
	token_rules_close(&f->rules);
	if (f->rules.files)
		return;
	if (f->way == BY_GROUP)
		close_group(f);
	f->way = IDLE;
}

static void keep(struct open_file *file, struct function *f, struct svf_file *device,
		 struct svf_file *iommufd)
{
	*file = (struct open_file){device, iommufd, f, run.process};
	token_rules_open(&f->rules);
}

static long ioctl_with(struct svf_file *file, uint32_t command, const void *arg, size_t size,
		       struct svf_file **ret_file)
{
	struct svf_call call = test_call(run.machine);
	long ret;

	memcpy(run.user, arg, size);
	ret = svf_file_ioctl(file, &call, command, (uintptr_t)run.user);
	if (ret_file)
		*ret_file = ret >= 0 ? call.ret_file : NULL;
	return ret;
}

/* --- steps: asking --- */

/* How many requests the rules granted and refused: a test that saw none of either tells nothing. */
static unsigned long granted, refused;

static int ask(struct function *f, int token)
{
	int err = token_rules_ask(&f->rules, token);

	*(err ? &refused : &granted) += 1;
	return err;
}

/* Requests that fail whatever the token: the group has no container, the iommufd is none. */
static bool spoil(void)
{
	return below(16) == 0;
}

static bool way_is_free(const struct function *f, enum way way)
{
	if (way == BY_CDEV)
		return f->way != BY_GROUP;
	return f->way == IDLE || (f->way == BY_GROUP && f->process == run.process);
}

/* Return: false when the group is somebody else's, which the core must say, too. */
static bool open_group(struct function *f, bool spoilt)
{
	struct svf_call call = test_call(run.machine);
	int32_t fd = FD_CONTAINER;
	long err;

	if (f->group)
		return way_is_free(f, BY_GROUP);
	err = svf_group_open(run.machine, &call, function_of(f)->group->id, &f->group);
	compare(way_is_free(f, BY_GROUP) ? 0 : -EBUSY, err);
	if (err)
		return false;
	f->way = BY_GROUP;
	f->process = run.process;
	if (spoilt)
		return true;
	compare(0, svf_container_open(run.machine, &call, &f->container));
	test_fd_file(FD_CONTAINER, f->container);
	compare(0, ioctl_with(f->group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd), NULL));
	compare(0, svf_file_ioctl(f->container, &call, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	return true;
}

static void ask_by_name(struct function *f)
{
	struct open_file *file = free_file();
	int token = any_token(f);
	bool spoilt = spoil() && !f->group;
	char match[128];
	struct svf_file *device;
	long wanted, err;

	snprintf(log_slot(), SLOT, "process %u: %s by name, token %d%s", run.process, name_of(f),
		 token, spoilt ? ", no container" : "");
	if (!file || !open_group(f, spoilt))
		return;
	snprintf(match, sizeof(match), token ? "%s vf_token=%s" : "%s", name_of(f),
		 token ? token_texts[token - 1] : "");
	wanted = ask(f, token);
	if (!wanted && spoilt)
		wanted = -EINVAL;
	err = ioctl_with(f->group, VFIO_GROUP_GET_DEVICE_FD, match, strlen(match) + 1, &device);
	compare(wanted, err);
	if (!err)
		keep(file, f, device, NULL);
	else if (!f->rules.files)
		close_group(f);
}

/* What BIND gives: the token is looked at when the group is out of the way, and before the rest. */
static long bind_result(struct function *f, int token, bool spoilt)
{
	long err;

	if (!way_is_free(f, BY_CDEV))
		return -EBUSY;
	err = ask(f, token);
	if (err)
		return err;
	if (spoilt)
		return -EBADFD;
	return f->rules.files ? -EINVAL : 0;
}

static void ask_by_cdev(struct function *f)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	struct svf_call call = test_call(run.machine);
	struct open_file *file = free_file();
	struct svf_file *cdev, *iommufd;
	int token = any_token(f);
	bool spoilt = spoil();
	struct svf_uuid uuid;
	long err;

	snprintf(log_slot(), SLOT, "process %u: %s by cdev, token %d%s", run.process, name_of(f),
		 token, spoilt ? ", no iommufd" : "");
	if (!file)
		return;
	compare(0, svf_cdev_open(run.machine, &call, function_of(f)->device->minor, &cdev));
	compare(0, svf_iommufd_open(run.machine, &call, &iommufd));
	test_fd_file(FD_IOMMUFD, iommufd);
	bind.iommufd = spoilt ? FD_OTHER : FD_IOMMUFD;
	if (token && svf_uuid_parse(token_texts[token - 1], &uuid)) {
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)run.user + sizeof(bind);
		memcpy((char *)run.user + sizeof(bind), &uuid, sizeof(uuid));
	}
	err = ioctl_with(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind), NULL);
	compare(bind_result(f, token, spoilt), err);
	if (err) {
		svf_file_close(cdev);
		svf_file_close(iommufd);
		return;
	}
	f->way = BY_CDEV;
	keep(file, f, cdev, iommufd);
}

static void step_ask(void)
{
	unsigned int n = below(FUNCTIONS);
	struct function *f = &run.functions[n];

	while (!f->exists || !f->rules.on_vfio)
		f = &run.functions[++n % FUNCTIONS];
	if (below(2))
		ask_by_name(f);
	else
		ask_by_cdev(f);
}

/* --- steps: using and giving back --- */

/* One of those open; NULL. */
static struct open_file *any_file(void)
{
	unsigned int first = below(FILES);

	for (unsigned int i = 0; i < FILES; i++) {
		struct open_file *file = &run.files[(first + i) % FILES];

		if (file->file)
			return file;
	}
	return NULL;
}

static void step_replace(void)
{
	struct open_file *file = any_file();
	int token = 1 + (int)below(TOKENS);
	struct {
		struct vfio_device_feature head;
		struct svf_uuid uuid;
	} set = {.head = {.argsz = sizeof(set),
			  .flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN}};

	if (!file || !svf_uuid_parse(token_texts[token - 1], &set.uuid))
		return;
	snprintf(log_slot(), SLOT, "process %u: %s gets token %d", file->process, name_of(file->fn),
		 token);
	compare(token_rules_replace(&file->fn->rules, token),
		ioctl_with(file->file, VFIO_DEVICE_FEATURE, &set, sizeof(set), NULL));
}

static void step_close(void)
{
	struct open_file *file = any_file();

	if (!file)
		return;
	snprintf(log_slot(), SLOT, "process %u: a file of %s is closed", file->process,
		 name_of(file->fn));
	close_file(file);
}

/* All its files at once, as when it is killed. */
static void step_kill(void)
{
	unsigned int process = below(TEST_PROCESSES);

	if (below(8))
		return;
	snprintf(log_slot(), SLOT, "process %u is killed", process);
	for (unsigned int i = 0; i < FILES; i++) {
		if (run.files[i].file && run.files[i].process == process)
			close_file(&run.files[i]);
	}
}

/* --- steps: the administrator's --- */

static struct function *vf_of(unsigned int pf, unsigned int i)
{
	return &run.functions[PFS + pf * VFS + i];
}

static bool vfs_are_used(unsigned int pf)
{
	return run.functions[pf].rules.vfs_in_use;
}

/* What the core made or removed, for the rules: each VF there is now is given to vfio-pci. */
static void look_for_vfs(unsigned int pf)
{
	struct svf_function *pf_fn = function_of(&run.functions[pf]);

	for (unsigned int i = 0; i < VFS; i++) {
		struct function *f = vf_of(pf, i);
		struct svf_call call = test_call(run.machine);
		struct svf_function *fn = i < pf_fn->sriov.num_vfs ? pf_fn->sriov.vfs[i] : NULL;

		f->exists = fn;
		if (!fn)
			continue;
		f->bdf = fn->bdf;
		if (!fn->driver) {
			compare(0, svf_function_set_driver_override(fn, &call, "vfio-pci"));
			compare(0, svf_drivers_probe(run.machine, &call, name_of(f)));
		}
		token_rules_bind(&f->rules, true);
	}
}

static void step_numvfs(void)
{
	unsigned int pf = below(PFS), num = below(VFS + 1);
	struct svf_function *fn = function_of(&run.functions[pf]);
	struct svf_call call = test_call(run.machine);
	unsigned int before = fn->sriov.num_vfs;
	long wanted = 0;

	if (vfs_are_used(pf) || below(4))
		return;
	snprintf(log_slot(), SLOT, "%s: %u VFs", name_of(&run.functions[pf]), num);
	if (num != before && (!fn->driver || !fn->driver->sriov_configure))
		wanted = -ENOENT;
	else if (num != before && num && before)
		wanted = -EBUSY;
	compare(wanted, svf_sriov_set_numvfs(fn, &call, num));
	if (!wanted && num != before)
		look_for_vfs(pf);
}

static void step_driver(void)
{
	unsigned int pf = below(PFS);
	struct function *f = &run.functions[pf];
	struct svf_function *fn = function_of(f);
	struct svf_call call = test_call(run.machine);
	const char *driver = drivers[below(SVF_ARRAY_SIZE(drivers))];
	unsigned int before = fn->sriov.num_vfs;
	long wanted = 0;

	if (vfs_are_used(pf) || f->rules.files || below(6))
		return;
	snprintf(log_slot(), SLOT, "%s: from %s to %s", name_of(f),
		 fn->driver ? fn->driver->name : "none", driver);
	if (fn->driver)
		compare(0, svf_driver_unbind(fn->driver, &call, name_of(f)));
	token_rules_bind(&f->rules, false);
	if (fn->sriov.num_vfs != before)
		look_for_vfs(pf);
	/* vfio-pci takes no PF whose VFs another driver has made. */
	if (strcmp(driver, "vfio-pci") == 0 && fn->sriov.num_vfs)
		wanted = -EBUSY;
	compare(0, svf_function_set_driver_override(fn, &call, driver));
	compare(wanted, svf_driver_bind(svf_driver_lookup(run.machine, driver), &call, name_of(f)));
	if (!wanted)
		token_rules_bind(&f->rules, strcmp(driver, "vfio-pci") == 0);
}

/* --- runs --- */

static void (*const steps[])(void) = {
	step_ask,   step_ask,	  step_ask,  step_ask,	  step_close,  step_close,
	step_close, step_replace, step_kill, step_numvfs, step_driver,
};

static void name_functions(void)
{
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		struct function *f = &run.functions[i];
		bool vf = i >= PFS && i < PFS * (1 + VFS);

		*f = (struct function){.exists = !vf, .rules = {.is_pf = i < PFS}};
		if (vf)
			f->rules.pf = &run.functions[(i - PFS) / VFS].rules;
		else
			f->bdf.bus = (uint8_t)(1 + (i < PFS ? i : i - PFS * VFS));
		token_rules_bind(&f->rules, !vf);
	}
}

static void run_begin(uint64_t seed)
{
	run.seed = run.random = seed;
	memset(run.log, 0, sizeof(run.log));
	run.machine = test_vfio_machine("0000:01:00.0 totalvfs=3 bar0=4K vfbar0=4K; "
					"0000:02:00.0 totalvfs=3 bar0=4K vfbar0=4K; "
					"0000:03:00.0 totalvfs=3 bar0=4K vfbar0=4K; "
					"0000:04:00.0 totalvfs=0 bar0=4K; "
					"0000:05:00.0 totalvfs=0 bar0=4K");
	test_fd_other(FD_OTHER);
	run.user = test_user_alloc(8192);
	for (unsigned int i = 1; i < TEST_PROCESSES; i++) {
		test_process(i);
		test_user_add((uintptr_t)run.user, 8192, true);
	}
	name_functions();
}

static void run_end(void)
{
	for (unsigned int i = 0; i < FILES; i++) {
		if (run.files[i].file)
			close_file(&run.files[i]);
	}
	test_machine_end(run.machine);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	for (unsigned long i = 0; i < count; i++) {
		run.step = (unsigned int)(i % RUN_STEPS);
		if (run.step == 0 && i)
			run_end();
		if (run.step == 0)
			run_begin(seed + i / RUN_STEPS);
		run.process = below(TEST_PROCESSES);
		test_process(run.process);
		steps[below(SVF_ARRAY_SIZE(steps))]();
	}
	if (count)
		run_end();
	printf("%lu steps, seeds from %llu, %lu requests granted and %lu refused as the rules do\n",
	       count, (unsigned long long)seed, granted, refused);
	return !granted || !refused;
}
