/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bringing up the host. It is a child of the launcher, in the namespace that the launcher has just
 * entered, in a session of its own so that no key of the terminal reaches it. It is told by
 * descriptors: the FUSE device, the root of the mount, a pipe on which one byte says that it
 * serves, and a socket whose end of file is its order to end, until we say that it is to outlive
 * us. Thus nothing remains when the launcher is killed, at whatever point.
 *
 * The host says itself what is wrong with a device or a topology file; we say only that it died.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/launch/launch.h"

/* What a host may take to end its clients and itself. */
#define SVF_HOST_END_TIMEOUT_MS 10000
/* When there is no -d and no -c, so that a namespace always shows something. */
#define SVF_DEFAULT_DEVICE "null,vfs=2"

#define SVF_L(member)	   offsetof(struct svf_launch_options, member)

const struct svf_option svf_device_options[] = {
	{"device", 'd', SVF_OPTION_LIST, SVF_L(devices), "SPEC",
	 "add a device: MODEL[@BDF][,KEY=VALUE]...; may be repeated\n"
	 "'help' lists the models, 'MODEL,help' its keys; default " SVF_DEFAULT_DEVICE},
	{"config", 'c', SVF_OPTION_STRING, SVF_L(topology), "FILE",
	 "build the machine of a topology file (YAML)"},
	{"param", 'p', SVF_OPTION_LIST, SVF_L(params), "PARAM",
	 "module parameter, MODULE.NAME=VALUE: vfio_pci.enable_sriov=0"},
	{"map-root", 'r', SVF_OPTION_FLAG, SVF_L(map_root), NULL,
	 "be user and group 0 inside (when not root outside)"},
	SVF_OPTION_END,
};

/* The words of softvfiod's command line. Numbers are kept in text. */
struct svf_host_command {
	struct svf_strings words;
	char path[PATH_MAX], preload[PATH_MAX];
	char fuse[12], root[12], ready[12], control[12], uid[12];
};

static int svf_words_add(struct svf_strings *words, const char *const *add)
{
	int ret = 0;

	for (; *add && !ret; add++)
		ret = svf_strings_add(words, *add);
	return ret;
}

static int svf_words_add_each(struct svf_strings *words, const char *option,
			      const struct svf_strings *values)
{
	int ret = 0;

	for (size_t i = 0; i < values->count && !ret; i++)
		ret = svf_words_add(words, (const char *const[]){option, values->word[i], NULL});
	return ret;
}

static int svf_words_add_machine(struct svf_strings *words,
				 const struct svf_launch_options *options)
{
	static const char *const fallback[] = {"-d", SVF_DEFAULT_DEVICE, NULL};
	int ret = svf_words_add_each(words, "-d", &options->devices);

	if (!ret && options->topology)
		ret = svf_words_add(words, (const char *const[]){"-c", options->topology, NULL});
	if (!ret && !options->topology && !options->devices.count)
		ret = svf_words_add(words, fallback);
	return ret ? ret : svf_words_add_each(words, "--param", &options->params);
}

static int svf_host_command_build(struct svf_host_command *command,
				  const struct svf_launch_options *options, const char *name,
				  const struct svf_mounts *mounts, int ready, int control)
{
	struct svf_strings *words = &command->words;
	int ret;

	snprintf(command->fuse, sizeof(command->fuse), "%d", mounts->fuse_fd);
	snprintf(command->root, sizeof(command->root), "%d", mounts->root_fd);
	snprintf(command->ready, sizeof(command->ready), "%d", ready);
	snprintf(command->control, sizeof(command->control), "%d", control);
	snprintf(command->uid, sizeof(command->uid), "%u", geteuid());
	ret = svf_words_add(words, (const char *const[]){command->path, "--name", name, "--uid",
							 command->uid, "--fuse-fd", command->fuse,
							 "--root-fd", command->root, "--ready-fd",
							 command->ready, "--control-fd",
							 command->control, NULL});
	if (!ret && command->preload[0])
		ret = svf_words_add(words,
				    (const char *const[]){"--preload", command->preload, NULL});
	if (!ret)
		ret = svf_words_add_machine(words, options);
	return ret ? ret : svf_strings_add(words, NULL);
}

/* Only these descriptors and 0 to 2 stay open in the host: it must not hold the caller's pipes. */
static void svf_host_keep(const int *fds, size_t count)
{
	if (syscall(SYS_close_range, 3, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */)) {
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			fcntl(fds[i], F_SETFD, 0);
	}
}

/* stdin and stdout are CMD's; stderr the host needs as long as it may have something to say. */
static int svf_host_redirect(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || fcntl(2, F_SETFD, 0) < 0)
		return -errno;
	return 0;
}

static _Noreturn void svf_host_exec(const struct svf_host_command *command, const int *fds,
				    size_t count)
{
	int ret;

	setsid();
	svf_supervise_restore();
	ret = svf_host_redirect();
	if (!ret)
		ret = svf_namespace_keep_capabilities();
	if (!ret) {
		svf_host_keep(fds, count);
		execv(command->path, (char **)command->words.word);
		ret = -errno;
	}
	svf_complain(ret, "cannot run %s: %s", command->path, strerror(-ret));
	_exit(SVF_EXIT_OURS);
}

/* Return: 0 when the host serves; else it is dead and reaped. */
static int svf_host_wait_ready(pid_t pid, int ready)
{
	int status = 0;
	char byte;
	ssize_t got;

	do
		got = read(ready, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		return svf_complain(
			-EIO,
			"the host softvfiod crashed while starting (signal %d); please report it",
			WTERMSIG(status));
	return -EIO;
}

static int svf_host_spawn(const struct svf_launch_options *options, const struct svf_mounts *mounts,
			  const int ready[2], const int control[2], struct svf_host_process *host)
{
	const int keep[] = {mounts->fuse_fd, mounts->root_fd, ready[1], control[1]};
	struct svf_host_command command = {0};
	int ret = svf_program_find_host(command.path);

	if (!ret && host->preload)
		ret = svf_program_find_preload(command.preload);
	if (!ret) {
		ret = svf_host_command_build(&command, options, host->name, mounts, ready[1],
					     control[1]);
		host->pid = ret ? -1 : fork();
		if (!host->pid)
			svf_host_exec(&command, keep, SVF_ARRAY_SIZE(keep));
		if (!ret && host->pid < 0)
			ret = svf_complain(-errno, "cannot fork: %s", strerror(errno));
	}
	svf_strings_fini(&command.words);
	return ret;
}

static void svf_pair_close(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

/* With the mounts prepared: starts the host, and keeps our end of the control socket in *host. */
static int svf_host_start(const struct svf_launch_options *options, const struct svf_mounts *mounts,
			  struct svf_host_process *host)
{
	int ready[2] = {-1, -1}, control[2] = {-1, -1};
	int ret = 0;

	if (pipe2(ready, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control))
		ret = svf_complain(-errno, "cannot make a pipe: %s", strerror(errno));
	if (!ret)
		ret = svf_host_spawn(options, mounts, ready, control, host);
	if (!ret) {
		close(ready[1]);
		ready[1] = -1;
		ret = svf_host_wait_ready(host->pid, ready[0]);
	}
	if (!ret) {
		host->control = control[0];
		control[0] = -1;
	}
	svf_pair_close(ready);
	svf_pair_close(control);
	return ret;
}

/* Until everything is in its place the host ends with us, also when it is to outlive us then. */
static int svf_host_bring_up(const struct svf_launch_options *options, struct svf_mounts *mounts,
			     bool detached, struct svf_host_process *host)
{
	int ret = svf_mounts_prepare(mounts);

	if (!ret)
		ret = svf_host_start(options, mounts, host);
	if (ret)
		return ret;
	/*
	 * From here on the FUSE connection is to end with the host: a descriptor of ours would keep
	 * it up.
	 */
	close(mounts->fuse_fd);
	mounts->fuse_fd = -1;
	ret = svf_mounts_assemble(mounts);
	if (!ret && detached)
		ret = svf_control_call(host->control, "stay", -1, NULL);
	if (!ret)
		return 0;
	return svf_host_end(host) ? -EIO : ret;
}

/*
 * When the caller closed stdin, stdout or stderr, its number is taken by a descriptor that CMD does
 * not inherit: none of ours is to come to lie there.
 */
static int svf_standard_reserve(void)
{
	for (int i = 0; i <= 2; i++) {
		/* open() takes the lowest free number, which is i. */
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return svf_complain(-errno, "cannot open /dev/null: %s", strerror(errno));
	}
	return 0;
}

int svf_host_launch(const struct svf_launch_options *options, const char *name, bool detached,
		    struct svf_host_process *ret_host)
{
	struct svf_host_process host = {.pid = -1, .control = -1, .preload = !options->no_preload};
	struct svf_mounts mounts;
	int ret;

	snprintf(host.name, sizeof(host.name), "%s", name);
	ret = svf_standard_reserve();
	if (!ret)
		ret = svf_namespace_enter(options->map_root);
	if (ret)
		return ret;
	ret = svf_host_bring_up(options, &mounts, detached, &host);
	svf_mounts_fini(&mounts);
	if (!ret)
		*ret_host = host;
	return ret;
}

/* Return: whether it ended by itself; otherwise it was killed. */
static bool svf_host_await(pid_t pid)
{
	struct pollfd poller = {.events = POLLIN};
	bool ended;

	poller.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (poller.fd < 0)
		return true;
	while (poll(&poller, 1, SVF_HOST_END_TIMEOUT_MS) < 0 && errno == EINTR)
		;
	ended = poller.revents & POLLIN;
	if (!ended)
		kill(pid, SIGKILL);
	close(poller.fd);
	return ended;
}

int svf_host_end(struct svf_host_process *host)
{
	int status = 0;
	bool ended;

	if (host->control >= 0)
		close(host->control);
	host->control = -1;
	ended = svf_host_await(host->pid);
	if (!ended)
		return svf_complain(waitpid(host->pid, NULL, 0) < 0 ? -errno : -EIO,
				    "the host softvfiod did not end in %d s and was killed; a "
				    "process of the namespace may be left",
				    SVF_HOST_END_TIMEOUT_MS / 1000);
	if (waitpid(host->pid, &status, 0) == host->pid && WIFSIGNALED(status))
		return svf_complain(-EIO,
				    "the host softvfiod crashed (signal %d); please report it",
				    WTERMSIG(status));
	return 0;
}

/* "help" or "MODEL,help". The model may be a file: "," is then written twice, "@" is one in a folder. */
static const char *svf_device_help_model(const char *spec, char *ret_model, size_t size)
{
	size_t len = strlen(spec), used = 0;
	char *name;

	if (!strcmp(spec, "help") || !strcmp(spec, "?"))
		return "";
	if (len <= strlen(",help") || strcmp(spec + len - strlen(",help"), ",help"))
		return NULL;
	for (; *spec && used + 1 < size; spec++) {
		if (*spec == ',' && *++spec != ',')
			break;
		ret_model[used++] = *spec;
	}
	ret_model[used] = '\0';
	name = strrchr(ret_model, '/');
	name = name ? name : ret_model;
	name[strcspn(name, "@")] = '\0';
	return ret_model;
}

static int svf_launch_print_help(const char *model)
{
	char path[PATH_MAX];
	int status = svf_program_find_host(path);

	if (status)
		return SVF_EXIT_OURS;
	execl(path, path, "--device-help", *model ? model : NULL, NULL);
	return svf_complain(SVF_EXIT_OURS, "cannot run %s: %s", path, strerror(errno));
}

bool svf_launch_help(const struct svf_launch_options *options, int *ret_status)
{
	const char *model;
	char text[PATH_MAX];

	for (size_t i = 0; i < options->devices.count; i++) {
		model = svf_device_help_model(options->devices.word[i], text, sizeof(text));
		if (!model)
			continue;
		*ret_status = svf_launch_print_help(model);
		return true;
	}
	return false;
}
