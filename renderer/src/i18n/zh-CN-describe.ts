/** 关于描述、提问和匹配原因的中文。The Chinese sentences about captions, questions and why a photo matched. */
import type { Describing } from './en-describe.ts';
import type { Formats } from './format.ts';

export const describingInChinese = (f: Formats, photos: (n: number) => string): Describing => ({
  sure: { very: '非常有把握', fairly: '比较有把握', somewhat: '不太有把握', guess: '只是猜测' },
  howSure: (words, share) => `${words}，${f.percent(share)}`,
  caption: {
    title: '描述',
    make: '描述这张照片',
    making: '正在看这张照片…',
    again: '重新描述',
    write: '自己写一句',
    edit: '修改描述',
    field: '用您自己的话描述',
    placeholder: '照片里有什么？',
    save: '保存',
    stop: '停止',
    undo: '撤销',
    byHand: '由您写下',
    byModel: (pack) => `由 ${pack} 描述`,
    unsure: '模型没有足够的把握说出这是什么。',
    none: '还没有描述。',
    emptyHint: '留空即可恢复模型的描述。',
    stopped: '已停止，描述没有变化。',
    noModel: '还没有安装能描述照片的模型。',
    failed: '无法描述这张照片。',
  },
  panel: {
    tags: '标签',
    searchTag: (name) => `查找标有“${name}”的照片`,
    albums: '相册',
    openAlbum: (name) => `“${name}”中的照片`,
  },
  why: {
    title: '为什么找到它',
    better: (share) => `比您 ${percentBelow(f, share)} 的照片更接近搜索内容。`,
    best: '是您的照片中最接近搜索内容的一张。',
    looks: '因画面相符而找到。',
    words: '因文字相符而找到。',
    both: '画面和文字都相符。',
    histogram: (share) => `所有照片与搜索内容的接近程度；这张超过了 ${percentBelow(f, share)}。`,
    likely: '可能符合',
    strong: '很符合',
    word: (word) => `“${word}”`,
    inCaption: '出现在描述中',
    inTag: (tag) => `出现在标签“${tag}”中`,
    inName: '出现在文件名中',
    nearest: (tags) => `最接近的标签：${tags}`,
    show: '显示位置',
    hide: '隐藏位置',
    showing: '照片上标出了与搜索内容相符的位置。',
    little: '少',
    much: '多',
    nowhere: '照片中没有哪一处特别符合这次搜索。',
    noWhere: '这次搜索没有可以在画面中寻找的词语，因此没有位置可显示。',
    outside: '模型看不到变暗的边缘。',
    working: '正在与您的照片比较…',
    failed: '比较没有成功。',
  },
  ask: {
    title: '提问',
    about: '就这张照片提问',
    field: '就这张照片提问',
    placeholder: '就这张照片提问',
    send: '提问',
    stop: '停止',
    suggestions: '可以试试的问题',
    empty: '可以问照片里有什么、有几个、是什么颜色。随附的模型只懂英文问题。',
    thinking: '正在看…',
    you: '您问',
    unsure: '没有把握。',
    considered: '考虑过的答案',
    others: (n) => `另外 ${f.number(n)} 个答案`,
    hideOthers: '隐藏其他答案',
    stopped: '已停止。',
    again: '再问一次',
    by: (pack, when) => `${pack}，${when}`,
    forget: '忘记这些问答',
    forgetTitle: '忘记关于这张照片的问答？',
    forgetBody: '为这张照片保留的问题和答案会被移除，照片和描述不受影响。',
    forgetAction: '忘记',
    noModel: '还没有安装能回答问题的模型。',
    chooseModel: '选择模型',
    tooLong: (characters, fit) =>
      `问题有 ${f.number(characters)} 个字符，这个模型大约只读前 ${f.number(fit)} 个。`,
    shorten: '请缩短后再问。',
    conversation: '问题和回答',
    tryAgain: '重试',
  },
  askPlace: {
    title: '向照片提问',
    intro: '一个问题，问许多照片，并找出能回答它的那些。',
    lookAt: '要看的照片',
    lookAtPlaceholder: '狗、2021 海滩、生日…',
    question: '问题',
    questionPlaceholder: 'Is there a dog on a lead?',
    ask: '提问',
    stop: '停止',
    sources: {
      query: '搜索词',
      search: (query) => `搜索：${query}`,
      likeThis: '与示例相似的照片',
      selection: (n) => `已选的 ${photos(n)}`,
      album: (name) => `相册：${name}`,
    },
    change: '换一些照片',
    examples: '例如',
    pairs: [
      ['dog', 'Is there a dog on a lead?'],
      ['people', 'How many people are there?'],
      ['car', 'What colour is the car?'],
      ['beach', 'Is it sunny?'],
    ],
    finding: '正在查找照片…',
    progress: (done, total) => `已问 ${f.number(done)} / ${f.number(total)} 张`,
    stopped: (done, total) => `已停止：共 ${photos(total)}，问了 ${f.number(done)} 张。`,
    yesNo: (yes, total) =>
      yes === 0
        ? `${photos(total)}都不是。`
        : yes === total
          ? total === 1
            ? '是。'
            : `${photos(total)}都是。`
          : `${photos(total)}中有 ${f.number(yes)} 张。`,
    mostly: (answer, n, total) =>
      n === total
        ? `${photos(total)}的答案都是“${answer}”。`
        : `最多的答案是“${answer}”：${photos(total)}中有 ${f.number(n)} 张。`,
    noneSure: (total) => `对这 ${photos(total)}都没有把握。`,
    noPhotos: '没有找到可以提问的照片，请换个词试试。',
    yes: '是',
    no: '否',
    others: '其他答案',
    unsure: '没有把握',
    unsureHint: '模型有个猜测，但没有足够的把握。',
    failed: (n) => `${photos(n)}无法提问`,
    answers: '答案',
    askThese: '就这些照片提问',
    askSelection: '就这些提问',
    photo: (name, answer, sureness) => `${name}：${answer}，${sureness}`,
    more: (n) => `再显示 ${f.number(n)} 张`,
  },
});

/** 不说“超过 100%”：那会把这张照片自己也算进去。Never "better than 100 %". */
function percentBelow(f: Formats, share: number): string {
  return f.percent(Math.min(0.99, Math.floor(share * 100) / 100));
}
