/** The page's entry: makes the app and mounts it. */
import { mount } from 'svelte';
import { App } from './app.svelte.ts';
import AppView from './components/App.svelte';
import './styles/base.css';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app to mount on');
const app = new App(window);
mount(AppView, { target, props: { app } });
void app.refresh();
