/*
 * Purpose: what a worker does with a task.
 * Source:  none; it stands for a simulation of some hours
 */
#ifndef WORK_H
#define WORK_H

// Return the energy of molecule `task`, from 0. Some take much longer than others.
double work(int task);

#endif
