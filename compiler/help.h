/* help.h - what `ampoule help` prints. */
#ifndef AMP_HELP_H
#define AMP_HELP_H

#include <stdbool.h>
#include <stdio.h>

void help_all(FILE *f);
/* False when there is no such command. */
bool help_command(const char *name, FILE *f);

#endif
