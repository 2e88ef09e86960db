/* Jobs: process groups that hold the terminal in turn (tcsetpgrp(3), setpgid(2)). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

static struct job *jobs;
pid_t shell_pgid;

void jobs_init(void)
{
    shell_pgid = getpid();
    setpgid(0, 0);
    shell_pgid = getpgrp();
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    tcsetpgrp(0, shell_pgid);
}

struct job *job_create(pid_t pgid, pid_t last, int processes, const char *text)
{
    struct job *job = calloc(1, sizeof(*job));
    int number = 1;

    if (!job) {
        return NULL;
    }
    for (struct job *other = jobs; other; other = other->next) {
        number = other->number >= number ? other->number + 1 : number;
    }
    job->number = number;
    job->pgid = pgid;
    job->last = last;
    job->processes = processes;
    job->text = strdup(text ? text : "");
    job->next = jobs;
    jobs = job;
    return job;
}

static void job_remove(struct job *job)
{
    for (struct job **at = &jobs; *at; at = &(*at)->next) {
        if (*at == job) {
            *at = job->next;
            free(job->text);
            free(job);
            return;
        }
    }
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Note what wait reported of one of the job's processes. */
static void note(struct job *job, pid_t pid, int status)
{
    if (WIFSTOPPED(status)) {
        job->stopped = WSTOPSIG(status);
        return;
    }
    if (WIFCONTINUED(status)) {
        job->stopped = 0;
        return;
    }
    if (pid == job->last) {
        job->status = status_of(status);
    }
    job->processes--;
}

static struct job *job_of(pid_t pid)
{
    pid_t pgid = getpgid(pid);

    for (struct job *job = jobs; job; job = job->next) {
        if (job->pgid == pgid || job->pgid == pid) {
            return job;
        }
    }
    return NULL;
}

int job_foreground(struct job *job, int go_on)
{
    int status, result;
    pid_t pid;

    if (interactive) {
        tcsetpgrp(0, job->pgid);
    }
    if (go_on) {
        job->stopped = 0;
        kill(-job->pgid, SIGCONT);
    }
    while (job->processes > 0 && !job->stopped) {
        pid = waitpid(interactive ? -job->pgid : -1, &status, WUNTRACED);
        if (pid < 0 && errno == ECHILD) {
            break;
        }
        if (pid > 0) {
            struct job *which = interactive ? job : job_of(pid);

            note(which ? which : job, pid, status);
        }
    }
    if (interactive) {
        tcsetpgrp(0, shell_pgid);
    }
    result = job->stopped ? 128 + job->stopped : job->status;
    if (job->stopped) {
        printf("\n[%d] stopped   %s\n", job->number, job->text);
    } else {
        if (interactive && result > 128 && result != 128 + SIGINT && result != 128 + SIGPIPE) {
            printf("%s\n", strsignal(result - 128));
        } else if (interactive && result == 128 + SIGINT) {
            printf("\n");
            interrupted = 1; /* ^C ends the loop that the job was in, too */
        }
        job_remove(job);
    }
    fflush(stdout);
    return result;
}

void job_background(struct job *job)
{
    job->stopped = 0;
    kill(-job->pgid, SIGCONT);
}

void jobs_reap(int announce)
{
    struct job *job, *next;
    int status;
    pid_t pid;

    for (job = jobs; job; job = job->next) {
        while ((pid = waitpid(-job->pgid, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
            note(job, pid, status);
        }
        if (pid < 0 && errno == ECHILD && !job->stopped) {
            job->processes = 0;
        }
    }
    for (job = jobs; job; job = next) {
        next = job->next;
        if (job->processes <= 0) {
            if (announce) {
                printf("[%d] done      %s\n", job->number, job->text);
            }
            job_remove(job);
        }
    }
}

struct job *job_find(const char *name)
{
    int number = name && *name == '%' ? atoi(name + 1) : name ? atoi(name) : 0;

    for (struct job *job = jobs; job; job = job->next) {
        if (!number || job->number == number || job->pgid == number) {
            return job;
        }
    }
    return NULL;
}

void jobs_print(void)
{
    for (struct job *job = jobs; job; job = job->next) {
        printf("[%d] %s   %s\n", job->number, job->stopped ? "stopped" : "running", job->text);
    }
}
