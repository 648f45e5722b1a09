/** What most people have photos of, in words that every model was taught. */
export const everydayWords: readonly string[] = `
  people, child, baby, crowd, dog, cat, horse, cow, sheep, elephant, bird, duck, butterfly, insect, fish, car, bus,
  truck, train, bicycle, motorcycle, airplane, boat, beach, sea, lake, river, waterfall, mountain, forest, desert, garden,
  park, snow, field, sunset, night sky, clouds, fog, rain, fireworks, street, building, skyscraper, house, church, castle,
  bridge, road, kitchen, bedroom, bathroom, living room, office, shop, restaurant, food, fruit, vegetable, pizza, bread,
  cake, salad, cup of coffee, glass of wine, flower, tree, rose, tulip, sunflower, mushroom, leaf, football match, tennis
  player, basketball game, baseball game, golf course, skiing, surfing, swimming, cycling, running, computer, phone, guitar,
  piano, clothing, shoes, hat, umbrella, toy, chair, table, book, bottle, clock, wedding, party, concert, document,
  screenshot, drawing, map, sign, statue, painting, window, door, staircase, playground, swimming pool, campfire, tent,
  bench, fountain, lighthouse, harbour, market, museum, stadium, airport, train station`
  .split(',')
  .map((word) => word.trim().replaceAll(/\s+/g, ' '));
